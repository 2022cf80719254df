package main

import (
	"context"
	"crypto/rand"

	"github.com/libp2p/go-libp2p-core/crypto"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/go-threads/db"
	"github.com/textileio/textile/v2/api/common"
)

func newIdentity() (thread.Identity, error) {
	private, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	return thread.NewLibp2pIdentity(private), nil
}

// newUser returns a context with the token of a fresh identity.
func newUser(ctx context.Context, p *Peer) (context.Context, thread.Identity, thread.Token, error) {
	identity, err := newIdentity()
	if err != nil {
		return nil, nil, "", err
	}
	token, err := p.threads.GetToken(ctx, identity)
	if err != nil {
		return nil, nil, "", err
	}
	return thread.NewTokenContext(ctx, token), identity, token, nil
}

// prepare gets a token for a fresh identity (unless the credentials are an account's) and makes
// a database, named in both ways that there are.
func prepare(ctx context.Context, p *Peer) (any, error) {
	result := struct {
		Token    string `json:"token"`
		Identity string `json:"identity"`
		Thread   string `json:"thread"`
	}{}
	if !p.Account {
		user, identity, token, err := newUser(ctx, p)
		if err != nil {
			return nil, err
		}
		ctx, result.Token, result.Identity = user, string(token), identity.GetPublic().String()
	}
	id := thread.NewIDV1(thread.Raw, 32)
	result.Thread = id.String()
	err := p.threads.NewDB(common.NewThreadNameContext(ctx, p.Name), id, db.WithNewManagedName(p.Name))
	return result, err
}

type listedThread struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	IsDB bool   `json:"is_db"`
}

// inspect tells all that the hub says about the request's thread.
func inspect(ctx context.Context, p *Peer) (any, error) {
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	info, err := p.threads.GetDBInfo(ctx, id)
	if err != nil {
		return nil, err
	}
	result := struct {
		Name      string         `json:"name"`
		Key       string         `json:"key"`
		Addresses []string       `json:"addresses"`
		Threads   []listedThread `json:"threads"`
		Named     *listedThread  `json:"named"`
		Databases []string       `json:"databases"`
	}{Name: info.Name, Key: info.Key.String()}
	for _, address := range info.Addrs {
		result.Addresses = append(result.Addresses, address.String())
	}
	if p.Key == "" && p.Session == "" {
		databases, err := p.threads.ListDBs(ctx)
		if err != nil {
			return nil, err
		}
		for database := range databases {
			result.Databases = append(result.Databases, database.String())
		}
		return result, nil
	}
	list, err := p.users.ListThreads(ctx)
	if err != nil {
		return nil, err
	}
	for _, each := range list.List {
		listed, err := listedOf(each.Id, each.Name, each.IsDb)
		if err != nil {
			return nil, err
		}
		result.Threads = append(result.Threads, *listed)
	}
	named, err := p.users.GetThread(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	result.Named, err = listedOf(named.Id, named.Name, named.IsDb)
	return result, err
}

func listedOf(bytes []byte, name string, isDB bool) (*listedThread, error) {
	id, err := thread.Cast(bytes)
	if err != nil {
		return nil, err
	}
	return &listedThread{id.String(), name, isDB}, nil
}

// databases makes databases in each way that the client offers, and asks for their keys.
func databases(ctx context.Context, p *Peer) (any, error) {
	type made struct {
		Outcome
		Given string `json:"given"`
		Key   string `json:"key"`
	}
	result := map[string]made{}
	try := func(name string, id thread.ID, given thread.Key, options ...db.NewManagedOption) {
		answer := made{Outcome: outcome(p.threads.NewDB(ctx, id, options...)), Given: given.String()}
		if answer.Code == 0 {
			info, err := p.threads.GetDBInfo(ctx, id)
			answer.Outcome, answer.Key = outcome(err), info.Key.String()
		}
		result[name] = answer
	}
	raw := func() thread.ID { return thread.NewIDV1(thread.Raw, 32) }
	key := thread.NewRandomKey()
	private, public, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	id := raw()
	try("a key", id, key, db.WithNewManagedKey(key))
	try("the same id", id, key, db.WithNewManagedKey(key))
	try("a private log key", raw(), key, db.WithNewManagedKey(key), db.WithNewManagedLogKey(private))
	try("a public log key", raw(), key, db.WithNewManagedKey(key), db.WithNewManagedLogKey(public))
	service := thread.NewRandomServiceKey()
	try("a service key", raw(), service, db.WithNewManagedKey(service))
	try("an access-controlled id", thread.NewIDV1(thread.AccessControlled, 32), key, db.WithNewManagedKey(key))
	try("a short id", thread.NewIDV1(thread.Raw, 16), key, db.WithNewManagedKey(key))
	try("a bad name", raw(), key, db.WithNewManagedKey(key), db.WithNewManagedName("two--hyphens"))
	return result, nil
}

func deleteDB(ctx context.Context, p *Peer) (any, error) {
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	return outcome(p.threads.DeleteDB(ctx, id)), nil
}
