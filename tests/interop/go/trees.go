package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/ipfs/interface-go-ipfs-core/path"
	bucketsclient "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/buckets"
	"github.com/textileio/textile/v2/util"
)

// Step is one call on the request's bucket. Do says which; the other fields are its arguments.
type Step struct {
	Do      string         `json:"do"`
	As      string         `json:"as"` // the token of another caller, in place of the request's
	Path    string         `json:"path"`
	To      string         `json:"to"`
	CID     string         `json:"cid"`
	Content []byte         `json:"content"`
	Private bool           `json:"private"`
	Roles   map[string]int `json:"roles"`
	Root    string         `json:"root"`
}

// stepped is what came of a step.
type stepped struct {
	Outcome
	Key     string         `json:"key"`
	Root    string         `json:"root"`
	CID     string         `json:"cid"`
	Seed    string         `json:"seed"`
	Content []byte         `json:"content"`
	Names   []string       `json:"names"`
	Roles   map[string]int `json:"roles"`
	Texts   []string       `json:"texts"`
}

// steps makes the request's calls one after the other, whatever comes of each.
func steps(ctx context.Context, p *Peer) (any, error) {
	results := []stepped{}
	bucket := p.Bucket
	for _, step := range p.Steps {
		as := ctx
		if step.As != "" {
			other := *p
			other.Token = step.As
			var err error
			if as, err = other.Context(context.Background()); err != nil {
				return nil, err
			}
		}
		result := stepped{Names: []string{}, Texts: []string{}, Roles: map[string]int{}}
		err := p.take(as, step, bucket, &result)
		result.Outcome = outcome(err)
		if result.Key != "" {
			bucket = result.Key
		}
		results = append(results, result)
	}
	return results, nil
}

func (p *Peer) take(ctx context.Context, step Step, bucket string, result *stepped) error {
	switch step.Do {
	case "create":
		return p.create(ctx, step, result)
	case "root":
		got, err := p.buckets.Root(ctx, bucket)
		if err == nil {
			result.Root = got.Root.Path
		}
		return err
	case "push":
		options := []bucketsclient.Option{}
		if step.Root != "" {
			base, err := util.NewResolvedPath(step.Root)
			if err != nil {
				return err
			}
			options = append(options, bucketsclient.WithFastForwardOnly(base))
		}
		at, root, err := p.buckets.PushPath(ctx, bucket, step.Path, bytes.NewReader(step.Content), options...)
		if err == nil {
			result.CID, result.Root = at.Cid().String(), root.String()
		}
		return err
	case "pull":
		return p.receive(result, func(into *bytes.Buffer) error {
			return p.buckets.PullPath(ctx, bucket, step.Path, into)
		})
	case "pull ipfs":
		return p.receive(result, func(into *bytes.Buffer) error {
			return p.buckets.PullIpfsPath(ctx, path.New(step.Path), into)
		})
	case "list":
		got, err := p.buckets.ListPath(ctx, bucket, step.Path)
		if err == nil {
			result.list(itemOf(got.Item))
		}
		return err
	case "list ipfs":
		got, err := p.buckets.ListIpfsPath(ctx, path.New(step.Path))
		if err == nil {
			result.list(itemOf(got.Item))
		}
		return err
	case "set":
		id, err := cid.Decode(step.CID)
		if err != nil {
			return err
		}
		_, err = p.buckets.SetPath(ctx, bucket, step.Path, id)
		return err
	case "move":
		return p.buckets.MovePath(ctx, bucket, step.Path, step.To)
	case "remove path":
		_, err := p.buckets.RemovePath(ctx, bucket, step.Path)
		return err
	case "remove":
		return p.buckets.Remove(ctx, bucket)
	case "grant":
		roles := map[string]buckets.Role{}
		for who, role := range step.Roles {
			roles[who] = buckets.Role(role)
		}
		return p.buckets.PushPathAccessRoles(ctx, bucket, step.Path, roles)
	case "roles":
		roles, err := p.buckets.PullPathAccessRoles(ctx, bucket, step.Path)
		for who, role := range roles {
			result.Roles[who] = int(role)
		}
		return err
	}
	return p.archive(ctx, step, bucket, result)
}

func (p *Peer) create(ctx context.Context, step Step, result *stepped) error {
	options := []bucketsclient.CreateOption{
		bucketsclient.WithName("n"), bucketsclient.WithPrivate(step.Private),
	}
	if step.CID != "" {
		id, err := cid.Decode(step.CID)
		if err != nil {
			return err
		}
		options = append(options, bucketsclient.WithCid(id))
	}
	made, err := p.buckets.Create(ctx, options...)
	if err == nil {
		result.Key, result.Root, result.Seed = made.Root.Key, made.Root.Path, hex.EncodeToString(made.Seed)
		result.CID = made.SeedCid
	}
	return err
}

func (p *Peer) receive(result *stepped, pull func(*bytes.Buffer) error) error {
	into := &bytes.Buffer{}
	err := pull(into)
	result.Content = into.Bytes()
	return err
}

func (s *stepped) list(listed item) {
	s.CID = listed.CID
	for _, child := range listed.Items {
		s.Names = append(s.Names, child.Name)
	}
}

func (p *Peer) archive(ctx context.Context, step Step, bucket string, result *stepped) error {
	switch step.Do {
	case "archive":
		return p.buckets.Archive(ctx, bucket)
	case "default config":
		_, err := p.buckets.DefaultArchiveConfig(ctx, bucket)
		return err
	case "watch":
		messages := make(chan string)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for message := range messages {
				result.Texts = append(result.Texts, message)
			}
		}()
		err := p.buckets.ArchiveWatch(ctx, bucket, messages)
		close(messages)
		<-done
		return err
	case "archives":
		got, err := p.buckets.Archives(ctx, bucket)
		if err == nil {
			result.Texts = append(result.Texts, strings.TrimSpace(got.String()))
		}
		return err
	}
	return errUnknownStep(step.Do)
}

type errUnknownStep string

func (e errUnknownStep) Error() string { return "no such step: " + string(e) }
