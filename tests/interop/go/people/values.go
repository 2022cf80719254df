package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/multiformats/go-multibase"
	"github.com/textileio/go-threads/core/thread"
	users "github.com/textileio/textile/v2/api/usersd/client"
)

// Given are the arguments of a call. Those that are not there are as if they were empty.
type Given []json.RawMessage

// into reads an argument. The tests and this program agree on types, so a failure is a mistake of theirs.
func (g Given) into(at int, value any) {
	if at < len(g) {
		if err := json.Unmarshal(g[at], value); err != nil {
			panic(err)
		}
	}
}

func (g Given) text(at int) (text string) {
	g.into(at, &text)
	return text
}

func (g Given) number(at int) (number int64) {
	g.into(at, &number)
	return number
}

func (g Given) flag(at int) (flag bool) {
	g.into(at, &flag)
	return flag
}

// wrapped is what JSON cannot hold, see js/values.mjs.
type wrapped struct {
	Bytes    string `json:"$bytes"`
	Identity string `json:"$identity"`
	Public   string `json:"$public"`
	Callback int    `json:"$callback"`
}

func (g Given) bytes(at int) []byte {
	var value wrapped
	g.into(at, &value)
	content, err := base64.StdEncoding.DecodeString(value.Bytes)
	if err != nil {
		panic(err)
	}
	return content
}

func (g Given) identity(at int) thread.Identity {
	var value wrapped
	g.into(at, &value)
	_, content, err := multibase.Decode(value.Identity)
	if err != nil {
		panic(err)
	}
	identity := &thread.Libp2pIdentity{}
	if err := identity.UnmarshalBinary(content); err != nil {
		panic(err)
	}
	return identity
}

func (g Given) public(at int) thread.PubKey {
	var value wrapped
	g.into(at, &value)
	key := &thread.Libp2pPubKey{}
	if err := key.UnmarshalString(value.Public); err != nil {
		panic(err)
	}
	return key
}

// callback is a function that reports its calls.
func (g Given) callback(at int) func(given ...any) {
	var value wrapped
	g.into(at, &value)
	return func(given ...any) { say(map[string]any{"callback": value.Callback, "given": given}) }
}

// Object names something that is kept here.
type Object struct {
	Number int `json:"$object"`
}

var (
	keeping sync.Mutex
	objects []Methods
)

func keep(kind string, methods Methods) any {
	keeping.Lock()
	defer keeping.Unlock()
	objects = append(objects, methods)
	return map[string]any{"$object": len(objects), "kind": kind}
}

func kept(object Object) Methods {
	keeping.Lock()
	defer keeping.Unlock()
	if object.Number < 1 || object.Number > len(objects) {
		panic(fmt.Sprint("there is no object ", object.Number))
	}
	return objects[object.Number-1]
}

type bytesValue struct {
	Bytes string `json:"$bytes"`
}

func toBytes(content []byte) bytesValue {
	return bytesValue{base64.StdEncoding.EncodeToString(content)}
}

func keyText(key []byte) string {
	public := &thread.Libp2pPubKey{}
	if err := public.UnmarshalBinary(key); err != nil {
		panic(err)
	}
	return public.String()
}

func idText(bytes []byte) string {
	id, err := thread.Cast(bytes)
	if err != nil {
		panic(err)
	}
	return id.String()
}

type message struct {
	ID        string     `json:"id"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Body      bytesValue `json:"body"`
	Signature bytesValue `json:"signature"`
	CreatedAt int64      `json:"createdAt"`
	ReadAt    int64      `json:"readAt"`
}

func messageOf(m users.Message) message {
	return message{
		m.ID, m.From.String(), m.To.String(), toBytes(m.Body), toBytes(m.Signature),
		nanoseconds(m.CreatedAt), nanoseconds(m.ReadAt),
	}
}

func messagesOf(list []users.Message, err error) (any, error) {
	messages := []message{}
	for _, each := range list {
		messages = append(messages, messageOf(each))
	}
	return messages, err
}

func nanoseconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}
