package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/ipfs/interface-go-ipfs-core/path"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/go-threads/db"
	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/common"
)

// refusals makes calls that no hub may carry out on the request's bucket, which holds the file "file" and
// the folder "folder". In the hub mode it is called with a secure user-group key.
func refusals(ctx context.Context, p *Peer) (any, error) {
	stale, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	if err := pushText(ctx, p, p.Bucket, "moved", "on"); err != nil {
		return nil, err
	}
	now, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	result := map[string]Outcome{}
	pathRefusals(ctx, p, stale, result)
	ownerRefusals(ctx, p, result)
	if p.Key != "" {
		if err := keyRefusals(ctx, p, result); err != nil {
			return nil, err
		}
	}
	after, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	return struct {
		Outcomes map[string]Outcome `json:"outcomes"`
		Before   string             `json:"before"`
		After    string             `json:"after"`
	}{result, now.String(), after.String()}, nil
}

func pathRefusals(ctx context.Context, p *Peer, stale path.Resolved, result map[string]Outcome) {
	_, err := p.buckets.ListPath(ctx, p.Bucket, "nothing")
	result["list a missing path"] = outcome(err)
	_, err = p.buckets.ListPath(ctx, p.Bucket, "folder/nothing")
	result["list a missing path in a folder"] = outcome(err)
	_, err = p.buckets.Links(ctx, p.Bucket, "nothing")
	result["link to a missing path"] = outcome(err)
	result["pull a missing path"] = outcome(p.buckets.PullPath(ctx, p.Bucket, "nothing", io.Discard))
	result["pull a folder"] = outcome(p.buckets.PullPath(ctx, p.Bucket, "folder", io.Discard))
	_, err = p.buckets.RemovePath(ctx, p.Bucket, "nothing")
	result["remove a missing path"] = outcome(err)
	result["push below a file"] = outcome(pushText(ctx, p, p.Bucket, "file/below", "x"))
	result["push to the seed"] = outcome(pushText(ctx, p, p.Bucket, ".textileseed", "x"))

	result["push on a stale root"] = outcome(
		pushText(ctx, p, p.Bucket, "x", "x", buckets.WithFastForwardOnly(stale)))
	result["push many on a stale root"] = outcome(
		queueText(ctx, p, p.Bucket, "x", "x", buckets.WithFastForwardOnly(stale)))
	_, err = p.buckets.RemovePath(ctx, p.Bucket, "file", buckets.WithFastForwardOnly(stale))
	result["remove on a stale root"] = outcome(err)

	_, err = p.buckets.Root(ctx, "bafzbeinobucket")
	result["root of an unknown bucket"] = outcome(err)
	result["push to an unknown bucket"] = outcome(pushText(ctx, p, "bafzbeinobucket", "x", "x"))
	result["remove an unknown bucket"] = outcome(p.buckets.Remove(ctx, "bafzbeinobucket"))
}

// ownerRefusals acts as another user in the request's thread, in one that is not there, and in none.
func ownerRefusals(ctx context.Context, p *Peer, result map[string]Outcome) {
	id, _ := common.ThreadIDFromContext(ctx)
	other, _, _, err := newUser(ctx, p)
	if result["token for another user"] = outcome(err); err != nil {
		return
	}
	_, err = p.buckets.List(other)
	result["list the buckets of another's thread"] = outcome(err)
	_, err = p.buckets.Create(other)
	result["create a bucket in another's thread"] = outcome(err)
	_, err = p.threads.GetDBInfo(other, id)
	result["info of another's database"] = outcome(err)
	result["push to another's bucket"] = outcome(pushText(other, p, p.Bucket, "file", "x"))
	result["push a new file to another's bucket"] = outcome(pushText(other, p, p.Bucket, "new", "x"))
	result["push many to another's bucket"] = outcome(queueText(other, p, p.Bucket, "file", "x"))
	_, err = p.buckets.RemovePath(other, p.Bucket, "file")
	result["remove a path of another's bucket"] = outcome(err)
	result["remove another's bucket"] = outcome(p.buckets.Remove(other, p.Bucket))
	result["pull from another's public bucket"] = outcome(
		p.buckets.PullPath(other, p.Bucket, "file", io.Discard))

	absent := common.NewThreadIDContext(ctx, thread.NewIDV1(thread.Raw, 32))
	_, err = p.buckets.Create(absent)
	result["create a bucket in an absent thread"] = outcome(err)
	_, err = p.buckets.Root(absent, p.Bucket)
	result["root in an absent thread"] = outcome(err)
	none := thread.NewTokenContext(context.Background(), "")
	if none, err = (&Peer{Request: Request{Key: p.Key, Secret: p.Secret, Token: p.Token}}).Context(none); err == nil {
		_, err = p.buckets.Root(none, p.Bucket)
	}
	result["root without a thread"] = outcome(err)
	result["a database again"] = outcome(p.threads.NewDB(ctx, id))
}

// keyRefusals are those of a hub with accounts.
func keyRefusals(ctx context.Context, p *Peer, result map[string]Outcome) error {
	id, _ := common.ThreadIDFromContext(ctx)
	identity, err := newIdentity()
	if err != nil {
		return err
	}
	try := func(name, key, secret string, life time.Duration) error {
		ctx, err := withKey(context.Background(), key, secret, life)
		if err != nil {
			return err
		}
		ctx = common.NewThreadIDContext(thread.NewTokenContext(ctx, thread.Token(p.Token)), id)
		_, err = p.buckets.Root(ctx, p.Bucket)
		result[name] = outcome(err)
		result["push with "+name] = outcome(pushText(ctx, p, p.Bucket, "x", "x"))
		_, err = p.threads.GetToken(ctx, identity)
		result["token with "+name] = outcome(err)
		_, err = p.users.ListThreads(ctx)
		result["threads with "+name] = outcome(err)
		return nil
	}
	otherSecret := p.Secret[:len(p.Secret)-8] + "aaaaaaaa"
	for _, each := range []struct {
		name, key, secret string
		life              time.Duration
	}{
		{"no credentials", "", "", 0},
		{"an unknown key", "bnokey", p.Secret, signatureLife},
		{"no signature", p.Key, "", 0},
		{"another's signature", p.Key, otherSecret, signatureLife},
		{"an expired signature", p.Key, p.Secret, -time.Minute},
	} {
		if err := try(each.name, each.key, each.secret, each.life); err != nil {
			return err
		}
	}
	unauthorized, err := withKey(context.Background(), p.Key, p.Secret, signatureLife)
	if err != nil {
		return err
	}
	_, err = p.users.ListThreads(unauthorized)
	result["threads without a token"] = outcome(err)
	_, err = p.buckets.List(common.NewThreadIDContext(unauthorized, id))
	result["buckets without a token"] = outcome(err)
	_, err = p.threads.ListDBs(ctx)
	result["list all databases"] = outcome(err)
	_, err = p.threads.ListDBs(context.Background())
	result["list all databases without credentials"] = outcome(err)
	_, err = p.users.GetThread(ctx, "nothing")
	result["a thread by an unknown name"] = outcome(err)
	named := common.NewThreadNameContext(ctx, "two--hyphens")
	result["a thread with a bad name"] = outcome(p.threads.NewDB(named, thread.NewIDV1(thread.Raw, 32)))
	again := common.NewThreadNameContext(ctx, strings.ToUpper(p.Name))
	result["a thread with a name that is taken"] = outcome(
		p.threads.NewDB(again, thread.NewIDV1(thread.Raw, 32), db.WithNewManagedName(p.Name)))
	result["delete a database with buckets"] = outcome(p.threads.DeleteDB(ctx, id))
	return nil
}

func pushText(ctx context.Context, p *Peer, bucket, at, text string, options ...buckets.Option) error {
	_, _, err := p.buckets.PushPath(ctx, bucket, at, strings.NewReader(text), options...)
	return err
}

// queueText pushes one file with PushPaths, and returns the first error that the queue tells of.
func queueText(ctx context.Context, p *Peer, bucket, at, text string, options ...buckets.Option) error {
	queue, err := p.buckets.PushPaths(ctx, bucket, options...)
	if err != nil {
		return err
	}
	if err := queue.AddReader(at, strings.NewReader(text), int64(len(text))); err != nil {
		return err
	}
	for queue.Next() {
		if err := queue.Err(); err != nil {
			queue.Close()
			return err
		}
	}
	return queue.Close()
}
