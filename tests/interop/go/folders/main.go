// Command folders keeps folders and buckets of a hub alike with Textile's unmodified folder library.
//
// It reads one request as JSON from standard input and prints one JSON document: what came of each step.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	du "github.com/ipfs/go-merkledag/dagutils"
	threads "github.com/textileio/go-threads/api/client"
	"github.com/textileio/go-threads/core/thread"
	remote "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/common"
	"github.com/textileio/textile/v2/buckets"
	"github.com/textileio/textile/v2/buckets/local"
	"github.com/textileio/textile/v2/cmd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// Request says where the hub is, as whom to call it, and what to do in which folders.
type Request struct {
	Target  string `json:"target"`
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	Session string `json:"session"`
	Token   string `json:"token"`
	Thread  string `json:"thread"`
	Steps   []Step `json:"steps"`
}

// Step is something to do with the bucket of a folder.
type Step struct {
	Do      string         `json:"do"`
	Folder  string         `json:"folder"`
	Bucket  string         `json:"bucket"`
	Private bool           `json:"private"`
	Force   bool           `json:"force"`
	Hard    bool           `json:"hard"`
	Path    string         `json:"path"`
	Roles   map[string]int `json:"roles"`
}

// Result is what came of a step.
type Result struct {
	Error   string            `json:"error"`
	Bucket  string            `json:"bucket"`
	Local   string            `json:"local"`
	Remote  string            `json:"remote"`
	Changes map[string]string `json:"changes"`
	Events  []string          `json:"events"`
	Roles   map[string]int    `json:"roles"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "folders:", err)
		os.Exit(1)
	}
}

func run() error {
	var request Request
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return err
	}
	id, err := thread.Decode(request.Thread)
	if err != nil {
		return err
	}
	clients, err := dial(request.Target)
	if err != nil {
		return err
	}
	defer clients.Close()
	all := local.NewBucketsWithAuth(clients, local.DefaultConfConfig(), request.authorize)
	results := []Result{}
	for _, step := range request.Steps {
		result := Result{Changes: map[string]string{}, Events: []string{}, Roles: map[string]int{}}
		if err := take(all, id, step, &result); err != nil {
			result.Error = text(err)
		}
		results = append(results, result)
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

// dial makes the clients as the command line of Textile does, which would take a port with 443 in it for TLS.
func dial(target string) (clients *cmd.Clients, err error) {
	options := []grpc.DialOption{grpc.WithInsecure(), grpc.WithPerRPCCredentials(common.Credentials{})}
	clients = &cmd.Clients{}
	if clients.Threads, err = threads.NewClient(target, options...); err != nil {
		return nil, err
	}
	clients.Buckets, err = remote.NewClient(target, options...)
	return clients, err
}

func (r Request) authorize(ctx context.Context) context.Context {
	ctx = thread.NewTokenContext(common.NewSessionContext(ctx, r.Session), thread.Token(r.Token))
	ctx = common.NewAPIKeyContext(ctx, r.Key)
	if r.Secret == "" {
		return ctx
	}
	signed, err := common.CreateAPISigContext(ctx, time.Now().Add(10*time.Minute), r.Secret)
	if err != nil {
		panic(err) // the secret is not of the form that hubs give out
	}
	return signed
}

func take(all *local.Buckets, id thread.ID, step Step, result *Result) error {
	ctx := context.Background()
	conf := local.Config{Path: step.Folder, Thread: id, Key: step.Bucket}
	if step.Do == "init" {
		bucket, err := all.NewBucket(ctx, conf, local.WithName("n"), local.WithPrivate(step.Private))
		if err != nil {
			return err
		}
		return describe(ctx, bucket, result)
	}
	bucket, err := all.GetLocalBucket(ctx, local.Config{Path: step.Folder})
	if err != nil {
		return err
	}
	events, wait := overhear(result)
	options := []local.PathOption{
		local.WithForce(step.Force), local.WithHard(step.Hard), local.WithEvents(events),
	}
	switch step.Do {
	case "push":
		_, err = bucket.PushLocal(ctx, options...)
	case "pull":
		_, err = bucket.PullRemote(ctx, options...)
	case "diff":
		err = diff(bucket, result)
	case "grant":
		roles := map[string]buckets.Role{}
		for who, role := range step.Roles {
			roles[who] = buckets.Role(role)
		}
		_, err = bucket.PushPathAccessRoles(ctx, step.Path, roles)
	case "destroy":
		err = bucket.Destroy(ctx)
	default:
		err = fmt.Errorf("no such step: %s", step.Do)
	}
	close(events)
	wait()
	if err != nil || step.Do == "destroy" {
		return err
	}
	if roles, err := bucket.PullPathAccessRoles(ctx, step.Path); err == nil {
		for who, role := range roles {
			result.Roles[who] = int(role)
		}
	}
	return describe(ctx, bucket, result)
}

func describe(ctx context.Context, bucket *local.Bucket, result *Result) error {
	roots, err := bucket.Roots(ctx)
	if err != nil {
		return err
	}
	result.Bucket, result.Local, result.Remote = bucket.Key(), roots.Local.String(), roots.Remote.String()
	return nil
}

func diff(bucket *local.Bucket, result *Result) error {
	changes, err := bucket.DiffLocal()
	for _, each := range changes {
		result.Changes[each.Path] = map[du.ChangeType]string{
			du.Add: "add", du.Mod: "modify", du.Remove: "remove",
		}[each.Type]
	}
	return err
}

// overhear notes the files that are done; the function waits until all of them are noted.
func overhear(result *Result) (chan local.Event, func()) {
	events, done := make(chan local.Event), make(chan struct{})
	go func() {
		defer close(done)
		for event := range events {
			switch event.Type {
			case local.EventFileComplete:
				result.Events = append(result.Events, "complete "+event.Path)
			case local.EventFileRemoved:
				result.Events = append(result.Events, "removed "+event.Path)
			}
		}
	}()
	return events, func() { <-done }
}

// text is what an error says, without gRPC's words around it.
func text(err error) string {
	var coded interface{ GRPCStatus() *status.Status }
	if errors.As(err, &coded) {
		return coded.GRPCStatus().Message()
	}
	return err.Error()
}
