package main

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/ipfs/go-cid"
	cbornode "github.com/ipfs/go-ipld-cbor"
	"github.com/libp2p/go-libp2p-core/crypto"
	"github.com/libp2p/go-libp2p-core/peer"
	"github.com/multiformats/go-multihash"
	"github.com/textileio/go-threads/cbor"
	coredb "github.com/textileio/go-threads/core/db"
	corenet "github.com/textileio/go-threads/core/net"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/go-threads/jsonpatcher"
	network "github.com/textileio/go-threads/net/api/client"
)

// seenLog is a log as the host tells it, and its records from the newest to the oldest.
type seenLog struct {
	ID      string       `json:"id"`
	Private bool         `json:"private"`
	Head    string       `json:"head"`
	Counter int64        `json:"counter"`
	Records []seenRecord `json:"records"`
}

// seenRecord is a record that Go has fetched, verified and opened.
type seenRecord struct {
	CID    string            `json:"cid"`
	Prev   string            `json:"prev"`
	Author string            `json:"author"`
	Body   json.RawMessage   `json:"body"`
	Events []json.RawMessage `json:"events"`
}

// seenThread is what GetThread says.
type seenThread struct {
	ID        string    `json:"id"`
	Key       string    `json:"key"`
	Addresses []string  `json:"addresses"`
	Logs      []seenLog `json:"logs"`
}

func dialNetwork(p *Peer) (*network.Client, error) {
	return network.NewClient(p.Target, dialOptions()...)
}

// walk fetches every record of the request's thread, checks its log's signature and opens it.
func walk(ctx context.Context, p *Peer) (any, error) {
	client, err := dialNetwork(p)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	return walkThread(ctx, client, id)
}

func walkThread(ctx context.Context, client *network.Client, id thread.ID) (*seenThread, error) {
	info, err := client.GetThread(ctx, id)
	if err != nil {
		return nil, err
	}
	seen := &seenThread{ID: info.ID.String(), Key: info.Key.String()}
	for _, address := range info.Addrs {
		seen.Addresses = append(seen.Addresses, address.String())
	}
	for _, each := range info.Logs {
		told := seenLog{ID: each.ID.String(), Private: each.PrivKey != nil, Counter: each.Head.Counter}
		if each.Head.ID.Defined() {
			told.Head = each.Head.ID.String()
		}
		for at := each.Head.ID; at.Defined(); {
			record, err := client.GetRecord(ctx, id, at)
			if err != nil {
				return nil, err
			}
			if err := record.Verify(each.PubKey); err != nil {
				return nil, err
			}
			opened, err := open(ctx, record, info.Key)
			if err != nil {
				return nil, err
			}
			told.Records = append(told.Records, *opened)
			at = record.PrevID()
		}
		seen.Logs = append(seen.Logs, told)
	}
	return seen, nil
}

// open decrypts a record and decodes its body, also as a database's changes if it is that.
func open(ctx context.Context, record corenet.Record, key thread.Key) (*seenRecord, error) {
	author := &thread.Libp2pPubKey{}
	if err := author.UnmarshalBinary(record.PubKey()); err != nil {
		return nil, err
	}
	event, err := cbor.EventFromRecord(ctx, nil, record)
	if err != nil {
		return nil, err
	}
	body, err := event.GetBody(ctx, nil, key.Read())
	if err != nil {
		return nil, err
	}
	text, err := body.(*cbornode.Node).MarshalJSON()
	if err != nil {
		return nil, err
	}
	opened := &seenRecord{CID: record.Cid().String(), Author: author.String(), Body: text}
	if record.PrevID().Defined() {
		opened.Prev = record.PrevID().String()
	}
	// Go refuses names it does not know, so nothing but changes decodes as changes.
	events, err := jsonpatcher.New().EventsFromBytes(body.RawData())
	if err != nil {
		return opened, nil
	}
	for _, each := range events {
		marshalled, err := each.Marshal()
		if err != nil {
			return nil, err
		}
		opened.Events = append(opened.Events, marshalled)
	}
	return opened, nil
}

// makeThreads makes threads and records in it, in each way that the client offers.
func makeThreads(ctx context.Context, p *Peer) (any, error) {
	client, err := dialNetwork(p)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	result := struct {
		Host     string             `json:"host"`
		Identity string             `json:"identity"`
		Threads  []*seenThread      `json:"threads"`
		Created  []string           `json:"created"`
		Outcomes map[string]Outcome `json:"outcomes"`
	}{Outcomes: map[string]Outcome{}}
	identity, err := newIdentity()
	if err != nil {
		return nil, err
	}
	var token thread.Token
	if !p.Account {
		if token, err = client.GetToken(ctx, identity); err != nil {
			return nil, err
		}
		result.Identity = identity.GetPublic().String()
		ctx = thread.NewTokenContext(ctx, token)
	}
	host, err := client.GetHostID(ctx)
	if err != nil {
		return nil, err
	}
	result.Host = host.String()
	private, public, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, service := thread.NewRandomKey(), thread.NewRandomServiceKey()
	for _, options := range [][]corenet.NewThreadOption{
		{},
		{corenet.WithThreadKey(key), corenet.WithLogKey(private)},
		{corenet.WithThreadKey(service), corenet.WithLogKey(public)},
	} {
		id := thread.NewIDV1(thread.Raw, 32)
		made, err := client.CreateThread(ctx, id, append(options, corenet.WithNewThreadToken(token))...)
		if err != nil {
			return nil, err
		}
		seen := &seenThread{ID: made.ID.String(), Key: made.Key.String()}
		for _, each := range made.Logs {
			seen.Logs = append(seen.Logs, seenLog{ID: each.ID.String(), Private: each.PrivKey != nil})
		}
		result.Threads = append(result.Threads, seen)
	}
	id, err := thread.Decode(result.Threads[1].ID)
	if err != nil {
		return nil, err
	}
	for number := 0; number < 3; number++ {
		body, err := cbornode.WrapObject(
			map[string]interface{}{"foo": "bar", "number": number}, multihash.SHA2_256, -1)
		if err != nil {
			return nil, err
		}
		record, err := client.CreateRecord(ctx, id, body)
		if err != nil {
			return nil, err
		}
		result.Created = append(result.Created, record.Value().Cid().String())
	}
	refuse := func(name string, err error) { result.Outcomes[name] = outcome(err) }
	body, err := cbornode.WrapObject(map[string]interface{}{}, multihash.SHA2_256, -1)
	if err != nil {
		return nil, err
	}
	locked, err := thread.Decode(result.Threads[2].ID)
	if err != nil {
		return nil, err
	}
	_, err = client.CreateRecord(ctx, locked, body)
	refuse("a record without the keys for it", err)
	_, err = client.CreateThread(ctx, id, corenet.WithThreadKey(key), corenet.WithLogKey(private))
	refuse("the same log again", err)
	refuse("a pull", client.PullThread(ctx, id))
	seen, err := walkThread(ctx, client, id)
	if err != nil {
		return nil, err
	}
	result.Threads[1] = seen
	refuse("a deletion", client.DeleteThread(ctx, locked))
	_, err = client.GetThread(ctx, locked)
	refuse("a deleted thread", err)
	return result, nil
}

// subscribe waits for records of the request's thread while it creates them.
func subscribe(ctx context.Context, p *Peer) (any, error) {
	client, err := dialNetwork(p)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	made, err := client.CreateThread(ctx, thread.NewIDV1(thread.Raw, 32))
	if err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	told, err := client.Subscribe(watching, corenet.WithSubFilter(made.ID))
	if err != nil {
		return nil, err
	}
	result := struct {
		Created []string `json:"created"`
		Told    []string `json:"told"`
	}{}
	for len(result.Told) < 3 {
		body, err := cbornode.WrapObject(map[string]interface{}{"foo": "bar"}, multihash.SHA2_256, -1)
		if err != nil {
			return nil, err
		}
		record, err := client.CreateRecord(ctx, made.ID, body)
		if err != nil {
			return nil, err
		}
		result.Created = append(result.Created, record.Value().Cid().String())
		select {
		case heard := <-told:
			result.Told = append(result.Told, heard.Value().Cid().String())
		case <-soon(): // nothing says when the hub has begun to watch
		}
	}
	return result, nil
}

// writer is a log of Go's own, whose records are made here.
type writer struct {
	id       peer.ID
	private  crypto.PrivKey
	identity thread.Identity
	key      thread.Key
	prev     cid.Cid
}

func (w *writer) changes(ctx context.Context, actions ...coredb.Action) (corenet.Record, error) {
	_, body, err := jsonpatcher.New().Create(actions)
	if err != nil {
		return nil, err
	}
	event, err := cbor.CreateEvent(ctx, nil, body, w.key.Read())
	if err != nil {
		return nil, err
	}
	record, err := cbor.CreateRecord(ctx, nil, cbor.CreateRecordConfig{
		Block:      event,
		Prev:       w.prev,
		Key:        w.private,
		PubKey:     w.identity.GetPublic(),
		ServiceKey: w.key.Service(),
	})
	if err == nil {
		w.prev = record.Cid()
	}
	return record, err
}

// contribute adds records that Go has built to a thread with a database: as somebody else than who made it,
// with a log whose private key stays here.
func contribute(ctx context.Context, p *Peer) (any, error) {
	client, err := dialNetwork(p)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	key, err := thread.KeyFromString(p.ThreadKey)
	if err != nil {
		return nil, err
	}
	user, identity, _, err := newUser(ctx, p)
	if err != nil {
		return nil, err
	}
	private, public, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, err
	}
	if _, err := client.CreateThread(
		user, id, corenet.WithThreadKey(key), corenet.WithLogKey(public)); err != nil {
		return nil, err
	}
	logID, err := peer.IDFromPublicKey(public)
	if err != nil {
		return nil, err
	}
	w := &writer{logID, private, identity, key, cid.Undef}
	action := func(kind coredb.ActionType, id, previous, current string) coredb.Action {
		made := coredb.Action{Type: kind, InstanceID: coredb.InstanceID(id), CollectionName: p.Name}
		if previous != "" {
			made.Previous = []byte(previous)
		}
		if current != "" {
			made.Current = []byte(current)
		}
		return made
	}
	rex, max := `{"_id":"rex","age":1,"name":"Rex"}`, `{"_id":"rex","age":2,"name":"Rex","tags":["a","b"]}`
	result := struct {
		Log      string    `json:"log"`
		Identity string    `json:"identity"`
		Records  []string  `json:"records"`
		Outcomes []Outcome `json:"outcomes"`
	}{Log: logID.String(), Identity: identity.GetPublic().String()}
	add := func(record corenet.Record) {
		result.Records = append(result.Records, record.Cid().String())
		result.Outcomes = append(result.Outcomes, outcome(client.AddRecord(user, id, logID, record)))
	}
	for _, actions := range [][]coredb.Action{
		{action(coredb.Create, "rex", "", rex), action(coredb.Create, "tom", "", `{"_id":"tom","name":"Tom"}`)},
		{action(coredb.Save, "rex", rex, max)},
		{action(coredb.Delete, "tom", "", "")},
	} {
		record, err := w.changes(ctx, actions...)
		if err != nil {
			return nil, err
		}
		add(record)
		add(record) // a second time, which changes nothing
	}
	kept := w.prev
	for _, actions := range [][]coredb.Action{
		{action(coredb.Create, "rex", "", rex)},
		{action(coredb.Delete, "tom", "", "")},
	} {
		w.prev = kept
		record, err := w.changes(ctx, actions...)
		if err != nil {
			return nil, err
		}
		add(record)
	}
	w.prev = cid.Undef
	fork, err := w.changes(ctx, action(coredb.Create, "max", "", `{"_id":"max"}`))
	if err != nil {
		return nil, err
	}
	add(fork)
	return result, nil
}
