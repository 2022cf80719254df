// Command people has Textile's unmodified Go clients of accounts, users and mail at the other end of a pipe.
//
// It speaks the lines that js/main.mjs speaks, and offers the names and shapes of Textile's JavaScript clients,
// so that one test can be told to both: a line of JSON for each thing to do, a line for each outcome, and one
// for each call of a callback. A call that the hub refuses is an outcome like any other. It judges nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	threads "github.com/textileio/go-threads/api/client"
	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/common"
	filecoin "github.com/textileio/textile/v2/api/filecoin/client"
	hub "github.com/textileio/textile/v2/api/hubd/client"
	users "github.com/textileio/textile/v2/api/usersd/client"
	"github.com/textileio/textile/v2/cmd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// Line is a thing to do: make an object, or call a method of one.
type Line struct {
	Number int    `json:"number"`
	Action string `json:"action"`
	Name   string `json:"name"`
	Target Object `json:"target"`
	Method string `json:"method"`
	Given  Given  `json:"given"`
}

// Methods are what an object can do, by name.
type Methods map[string]func(context.Context, Given) (any, error)

var makers = map[string]func(*cmd.Clients, Given) Methods{
	"Admin":  newAdmin,
	"Users":  newUsers,
	"Mail":   newMail,
	"Person": newPerson,
	"Walk":   newWalk,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "people: give the address of a hub")
		os.Exit(1)
	}
	clients, err := dial(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "people:", err)
		os.Exit(1)
	}
	defer clients.Close()
	lines := bufio.NewReader(os.Stdin)
	var acts sync.WaitGroup
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var line Line
		if err := json.Unmarshal(text, &line); err != nil {
			panic(err)
		}
		acts.Add(1)
		go func() {
			defer acts.Done()
			act(clients, line)
		}()
	}
	acts.Wait()
}

// dial makes the clients as the command line of Textile does, which would take a port with 443 in it for TLS.
func dial(target string) (clients *cmd.Clients, err error) {
	options := []grpc.DialOption{grpc.WithInsecure(), grpc.WithPerRPCCredentials(common.Credentials{})}
	clients = &cmd.Clients{}
	if clients.Threads, err = threads.NewClient(target, options...); err != nil {
		return nil, err
	}
	if clients.Buckets, err = buckets.NewClient(target, options...); err != nil {
		return nil, err
	}
	if clients.Hub, err = hub.NewClient(target, options...); err != nil {
		return nil, err
	}
	if clients.Users, err = users.NewClient(target, options...); err != nil {
		return nil, err
	}
	clients.Filecoin, err = filecoin.NewClient(target, options...)
	return clients, err
}

func act(clients *cmd.Clients, line Line) {
	var result any
	var err error
	if line.Action == "make" {
		result = keep(line.Name, makers[line.Name](clients, line.Given))
	} else if method := kept(line.Target)[line.Method]; method != nil {
		result, err = method(context.Background(), line.Given)
	} else {
		err = fmt.Errorf("there is no method %q", line.Method)
	}
	if methods, ok := result.(Methods); ok {
		result = keep(line.Method, methods)
	}
	answer := map[string]any{"number": line.Number, "result": result}
	if err != nil {
		answer = map[string]any{"number": line.Number, "error": err.Error()}
		var coded interface{ GRPCStatus() *status.Status }
		if errors.As(err, &coded) {
			answer["error"], answer["code"] = coded.GRPCStatus().Message(), int(coded.GRPCStatus().Code())
		}
	}
	say(answer)
}

var saying sync.Mutex

func say(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	saying.Lock()
	defer saying.Unlock()
	os.Stdout.Write(append(text, '\n'))
}
