package main

import (
	"context"
	"errors"
	"time"

	threads "github.com/textileio/go-threads/api/client"
	"github.com/textileio/go-threads/core/thread"
	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/common"
	users "github.com/textileio/textile/v2/api/usersd/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// signatureLife is how long the signature of a request stays good.
const signatureLife = 10 * time.Minute

// Peer holds the three clients, each with a connection of its own as in Textile's programs.
type Peer struct {
	Request
	threads *threads.Client
	buckets *buckets.Client
	users   *users.Client
}

// Dial makes the clients; the connections follow with the first calls.
func Dial(request Request) (*Peer, error) {
	options := dialOptions()
	threadsClient, err := threads.NewClient(request.Target, options...)
	if err != nil {
		return nil, err
	}
	bucketsClient, err := buckets.NewClient(request.Target, options...)
	if err != nil {
		return nil, err
	}
	usersClient, err := users.NewClient(request.Target, options...)
	if err != nil {
		return nil, err
	}
	return &Peer{request, threadsClient, bucketsClient, usersClient}, nil
}

func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithInsecure(), grpc.WithPerRPCCredentials(common.Credentials{})}
}

// Close ends the connections.
func (p *Peer) Close() {
	p.threads.Close()
	p.buckets.Close()
	p.users.Close()
}

// Context adds the request's credentials and thread to a context.
func (p *Peer) Context(ctx context.Context) (context.Context, error) {
	ctx, err := withKey(ctx, p.Key, p.Secret, signatureLife)
	if err != nil {
		return nil, err
	}
	ctx = common.NewSessionContext(ctx, p.Session)
	ctx = thread.NewTokenContext(ctx, thread.Token(p.Token))
	if p.Thread == "" {
		return ctx, nil
	}
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	return common.NewThreadIDContext(ctx, id), nil
}

// withKey adds an API key, and a signature that is good for a time (or has been bad for one).
func withKey(ctx context.Context, key, secret string, life time.Duration) (context.Context, error) {
	ctx = common.NewAPIKeyContext(ctx, key)
	if secret == "" {
		return ctx, nil
	}
	return common.CreateAPISigContext(ctx, time.Now().Add(life), secret)
}

// Outcome is how a call ended. Code is gRPC's number, or -1 where the client failed by itself.
type Outcome struct {
	Code int    `json:"code"`
	Text string `json:"text"`
}

func outcome(err error) Outcome {
	var coded interface{ GRPCStatus() *status.Status }
	switch {
	case err == nil:
		return Outcome{}
	case errors.As(err, &coded):
		return Outcome{int(coded.GRPCStatus().Code()), coded.GRPCStatus().Message()}
	default:
		return Outcome{-1, err.Error()}
	}
}

// soon is for what nobody announces: after a moment one looks again.
func soon() <-chan time.Time { return time.After(100 * time.Millisecond) }
