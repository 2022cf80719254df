package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/interface-go-ipfs-core/path"
	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/bucketsd/pb"
	"google.golang.org/grpc"
)

// overwrites pushes a file, another over it, and more over the folders that it was in, with PushPath below
// one folder and with PushPaths below another, and tells what is at the top and what can be read each time.
func overwrites(ctx context.Context, p *Peer) (any, error) {
	type state struct {
		Names   []string `json:"names"`
		Content string   `json:"content"`
	}
	states := []state{}
	for top, send := range []func(context.Context, *Peer, string, string, string, ...buckets.Option) error{
		pushText, queueText,
	} {
		for _, step := range [][2]string{
			{"/path/to/file", "first"}, {"/path/to/file", "seeya"}, {"/path/to", "a file now"}, {"", "gone"},
		} {
			at := fmt.Sprint(top, step[0])
			if err := send(ctx, p, p.Bucket, at, step[1]); err != nil {
				return nil, err
			}
			listing, err := p.buckets.ListPath(ctx, p.Bucket, "")
			if err != nil {
				return nil, err
			}
			now := state{Names: []string{}}
			for _, item := range listing.Item.Items {
				now.Names = append(now.Names, item.Name)
			}
			var content bytes.Buffer
			if err := p.buckets.PullPath(ctx, p.Bucket, at, &content); err != nil {
				return nil, err
			}
			now.Content = content.String()
			states = append(states, now)
		}
	}
	return states, nil
}

// race sends pushes that all want to be the next after one root, with PushPath and then with PushPaths.
func race(ctx context.Context, p *Peer) (any, error) {
	sends := map[string]func(path.Resolved) error{
		"PushPath": func(base path.Resolved) error {
			return pushText(ctx, p, p.Bucket, "conflict", "ready, set, go!", buckets.WithFastForwardOnly(base))
		},
		"PushPaths": func(base path.Resolved) error {
			return queueText(ctx, p, p.Bucket, "conflicts", "ready, set, go!", buckets.WithFastForwardOnly(base))
		},
	}
	result := map[string][]Outcome{}
	for name, send := range sends {
		base, err := currentRoot(ctx, p, p.Bucket)
		if err != nil {
			return nil, err
		}
		result[name] = together(p.Count, func(int) error { return send(base) })
	}
	return result, nil
}

// parallel pushes to as many buckets as asked for at the same time, then as many files to one bucket.
func parallel(ctx context.Context, p *Peer) (any, error) {
	keys := make([]string, p.Count)
	created := together(p.Count, func(number int) error {
		made, err := p.buckets.Create(ctx, buckets.WithName(fmt.Sprint("bucket ", number)))
		if err == nil {
			keys[number] = made.Root.Key
		}
		return err
	})
	send := func(bucket, at string, number int) error {
		_, _, err := p.buckets.PushPath(ctx, bucket, at, numbered(number, p.Size))
		return err
	}
	apart := together(p.Count, func(number int) error { return send(keys[number], "file", number) })
	shared := together(p.Count, func(number int) error {
		return send(p.Bucket, fmt.Sprintf("shared/%d", number), number)
	})
	return struct {
		Keys    []string  `json:"keys"`
		Created []Outcome `json:"created"`
		Apart   []Outcome `json:"apart"`
		Shared  []Outcome `json:"shared"`
	}{keys, created, apart, shared}, nil
}

// numbered is a file of its own for each number: the number's text again and again.
func numbered(number int, size int64) io.Reader {
	unit := fmt.Sprintf("%08d", number)
	return io.LimitReader(strings.NewReader(strings.Repeat(unit, int(size)/len(unit)+1)), size)
}

func together(count int, do func(number int) error) []Outcome {
	outcomes := make([]Outcome, count)
	var all sync.WaitGroup
	for number := 0; number < count; number++ {
		all.Add(1)
		go func(number int) {
			defer all.Done()
			outcomes[number] = outcome(do(number))
		}(number)
	}
	all.Wait()
	return outcomes
}

// cancelled gives up a push when the hub has told that it got a part, a push of many files when the first
// has arrived, one at its deadline, and a pull when the first bytes are there.
func cancelled(ctx context.Context, p *Peer) (any, error) {
	const enough = 4 << 20
	result := map[string]Outcome{}

	pushing, stop := context.WithCancel(ctx)
	defer stop()
	progress := make(chan int64)
	go func() {
		for count := range progress {
			if count >= enough {
				stop()
			}
		}
	}()
	_, _, err := p.buckets.PushPath(pushing, p.Bucket, "cancelled", endless{}, buckets.WithProgress(progress))
	result["push"] = outcome(err)

	queueing, stop := context.WithCancel(ctx)
	defer stop()
	queue, err := p.buckets.PushPaths(queueing, p.Bucket)
	if err != nil {
		return nil, err
	}
	if err := queue.AddReader("cancelled/first", strings.NewReader("first"), 5); err != nil {
		return nil, err
	}
	if err := queue.AddReader("cancelled/second", endless{}, 0); err != nil {
		return nil, err
	}
	for queue.Next() {
		if err := queue.Err(); err != nil {
			result["push many"] = outcome(err)
			break
		}
		stop()
	}

	late, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	_, _, err = p.buckets.PushPath(late, p.Bucket, "cancelled", endless{})
	result["push past its deadline"] = outcome(err)

	pulling, stop := context.WithCancel(ctx)
	defer stop()
	result["pull"] = outcome(p.buckets.PullPath(pulling, p.Bucket, p.Name, stopper{stop}))

	// Had one of them kept the bucket's lock, this would wait for ever.
	result["push afterwards"] = outcome(pushText(ctx, p, p.Bucket, "afterwards", "x"))
	return result, nil
}

// endless is a source without an end.
type endless struct{}

func (endless) Read(into []byte) (int, error) { return len(into), nil }

// stopper calls a function whenever something is written.
type stopper struct{ stop context.CancelFunc }

func (s stopper) Write(data []byte) (int, error) {
	s.stop()
	return len(data), nil
}

// messages pushes files in single messages as large as Go servers take, and in one that is larger.
func messages(ctx context.Context, p *Peer) (any, error) {
	const most = 4 << 20 // grpc-go's default limit of what a server receives
	connection, err := grpc.Dial(p.Target, dialOptions()...)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	client := pb.NewAPIServiceClient(connection)
	result := map[string]Outcome{}
	for name, size := range map[string]int{"largest": most - 5, "too large": most - 4} {
		// A chunk field costs five bytes besides its data, at this size.
		_, err := sendWhole(ctx, client, p.Bucket, name, make([]byte, size))
		result[name] = outcome(err)
	}
	return result, nil
}

func sendWhole(
	ctx context.Context, client pb.APIServiceClient, bucket, at string, data []byte,
) (*pb.PushPathResponse, error) {
	stream, err := client.PushPath(ctx)
	if err != nil {
		return nil, err
	}
	header := &pb.PushPathRequest_Header{Key: bucket, Path: at}
	err = stream.Send(&pb.PushPathRequest{Payload: &pb.PushPathRequest_Header_{Header: header}})
	if err == nil {
		err = stream.Send(&pb.PushPathRequest{Payload: &pb.PushPathRequest_Chunk{Chunk: data}})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil && err != io.EOF { // EOF: the hub has ended the call, and the next receive tells why
		return nil, err
	}
	for {
		reply, err := stream.Recv()
		if err != nil || reply.Event.Path != "" {
			return reply, err
		}
	}
}
