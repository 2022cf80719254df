package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"time"

	"github.com/libp2p/go-libp2p-core/crypto"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/textile/v2/api/common"
	"github.com/textileio/textile/v2/cmd"
)

type walked struct {
	Identity string `json:"identity"`
	Thread   string `json:"thread"`
	Bucket   string `json:"bucket"`
	Path     string `json:"path"`
	Root     string `json:"root"`
	Token    string `json:"token"`
}

// newWalk offers the walk from an API key to a file in a bucket, as an application of one user takes it.
func newWalk(clients *cmd.Clients, _ Given) Methods {
	return Methods{
		// walk takes the API key, its secret, a name for the thread and the bucket, a path, and what goes there.
		"walk": func(ctx context.Context, given Given) (any, error) {
			identity, err := createIdentity()
			if err != nil {
				return nil, err
			}
			if ctx, err = authenticate(ctx, given.text(0), given.text(1)); err != nil {
				return nil, err
			}
			ctx, token, err := authorizeUser(ctx, clients, identity)
			if err != nil {
				return nil, err
			}
			ctx, id, err := createThreadDB(ctx, clients, given.text(2))
			if err != nil {
				return nil, err
			}
			bucket, err := createBucket(ctx, clients)
			if err != nil {
				return nil, err
			}
			path, root, err := push(ctx, clients, bucket, given.text(3), given.bytes(4))
			return walked{identity.GetPublic().String(), id.String(), bucket, path, root, string(token)}, err
		},
	}
}

func createIdentity() (thread.Identity, error) {
	private, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	return thread.NewLibp2pIdentity(private), nil
}

// authenticate adds an account's key and a signature by its secret.
func authenticate(ctx context.Context, key, secret string) (context.Context, error) {
	return common.CreateAPISigContext(common.NewAPIKeyContext(ctx, key), time.Now().Add(signatureLife), secret)
}

// authorizeUser adds a token that the hub gives the identity.
func authorizeUser(
	ctx context.Context, clients *cmd.Clients, identity thread.Identity,
) (context.Context, thread.Token, error) {
	token, err := clients.Threads.GetToken(ctx, identity)
	return thread.NewTokenContext(ctx, token), token, err
}

func createThreadDB(
	ctx context.Context, clients *cmd.Clients, name string,
) (context.Context, thread.ID, error) {
	id := thread.NewIDV1(thread.Raw, 32)
	ctx = common.NewThreadNameContext(ctx, name)
	err := clients.Threads.NewDB(ctx, id)
	return common.NewThreadIDContext(ctx, id), id, err
}

func createBucket(ctx context.Context, clients *cmd.Clients) (string, error) {
	made, err := clients.Buckets.Create(ctx)
	if err != nil {
		return "", err
	}
	return made.Root.Key, nil
}

func push(
	ctx context.Context, clients *cmd.Clients, bucket, path string, content []byte,
) (at, root string, err error) {
	pushed, now, err := clients.Buckets.PushPath(ctx, bucket, path, bytes.NewReader(content))
	if err != nil {
		return "", "", err
	}
	return pushed.Cid().String(), now.Cid().String(), nil
}
