// Command interop makes calls to a hub with Textile's unmodified Go clients.
//
// It reads one request as JSON from standard input, does what its first argument names, and prints one
// JSON document. A call that the hub refuses is a result like any other, as its status code and text;
// only what the program itself cannot do ends it with status 1. It judges nothing: the Python tests
// that run it do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

// Request says where the hub is, as whom to call it, and what to call it with.
type Request struct {
	Target    string   `json:"target"`
	Key       string   `json:"key"`
	Secret    string   `json:"secret"`
	Session   string   `json:"session"`
	Account   bool     `json:"account"` // the credentials speak for an account, so that no token is needed
	Token     string   `json:"token"`
	Thread    string   `json:"thread"`
	ThreadKey string   `json:"thread_key"`
	Bucket    string   `json:"bucket"`
	Name      string   `json:"name"`
	Files     []File   `json:"files"`
	Paths     []string `json:"paths"`
	Size      int64    `json:"size"`
	Count     int      `json:"count"`
	Steps     []Step   `json:"steps"`
}

// File is a path in a bucket and the file on this machine that goes there or comes from there.
type File struct {
	Path  string `json:"path"`
	Local string `json:"local"`
}

var commands = map[string]func(context.Context, *Peer) (any, error){
	"prepare":     prepare,
	"inspect":     inspect,
	"databases":   databases,
	"delete_db":   deleteDB,
	"create":      create,
	"read":        read,
	"push":        push,
	"push_paths":  pushPaths,
	"pull":        pull,
	"remove_path": removePath,
	"remove":      remove,
	"refusals":    refusals,
	"overwrites":  overwrites,
	"race":        race,
	"parallel":    parallel,
	"cancel":      cancelled,
	"messages":    messages,
	"idle":        idle,
	"speed":       speed,
	"documents":   documents,
	"walk":        walk,
	"network":     makeThreads,
	"subscribe":   subscribe,
	"contribute":  contribute,
	"collections": collections,
	"steps":       steps,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		names := make([]string, 0, len(commands))
		for name := range commands {
			names = append(names, name)
		}
		sort.Strings(names)
		return fmt.Errorf("give one command: %s", strings.Join(names, ", "))
	}
	var request Request
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	peer, err := Dial(request)
	if err != nil {
		return err
	}
	defer peer.Close()
	ctx, err := peer.Context(context.Background())
	if err != nil {
		return err
	}
	result, err := commands[os.Args[1]](ctx, peer)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
