package main

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"

	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// pingEvery is the shortest time between pings that grpc-go allows. Textile's programs take twice as long.
const pingEvery = 10 * time.Second

// idle keeps a connection open without calls until the hub has answered as many pings as asked for, and
// tells how many connections that took: a hub that does not like pings closes them.
func idle(ctx context.Context, p *Peer) (any, error) {
	answered := make(chan struct{}, p.Count)
	var connections int32
	dial := func(ctx context.Context, target string) (net.Conn, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
		if err != nil {
			return nil, err
		}
		atomic.AddInt32(&connections, 1)
		return overhear(connection, answered), nil
	}
	client, err := buckets.NewClient(p.Target, append(dialOptions(),
		grpc.WithContextDialer(dial),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: pingEvery, Timeout: pingEvery, PermitWithoutStream: true,
		}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if _, err := client.Root(ctx, p.Bucket); err != nil {
		return nil, err
	}
	limit := time.After(time.Duration(p.Count+2) * pingEvery)
	pings := 0
	for pings < p.Count {
		select {
		case <-answered:
			pings++
		case <-limit:
			return nil, context.DeadlineExceeded
		}
	}
	_, err = client.Root(ctx, p.Bucket)
	return struct {
		Pings       int     `json:"pings"`
		Connections int32   `json:"connections"`
		Root        Outcome `json:"root"`
	}{pings, atomic.LoadInt32(&connections), outcome(err)}, nil
}

// overheard is a connection whose incoming bytes somebody else reads, too.
type overheard struct {
	net.Conn
	copied *io.PipeWriter
}

func (o overheard) Read(into []byte) (int, error) {
	count, err := o.Conn.Read(into)
	if count > 0 {
		o.copied.Write(into[:count]) // fails only once nobody listens any more
	}
	if err != nil {
		o.copied.CloseWithError(err)
	}
	return count, err
}

// overhear tells of every answered ping. Those of keepalive are all zeros; others measure the bandwidth.
func overhear(connection net.Conn, answered chan<- struct{}) net.Conn {
	reader, writer := io.Pipe()
	framer := http2.NewFramer(nil, reader)
	go func() {
		defer reader.Close()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() && ping.Data == [8]byte{} {
				answered <- struct{}{}
			}
		}
	}()
	return overheard{connection, writer}
}
