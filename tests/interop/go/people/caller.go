package main

import (
	"context"
	"sync"
	"time"

	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/textile/v2/api/common"
)

// signatureLife is how long the signature of a request stays good.
const signatureLife = 10 * time.Minute

// Caller is as whom an object calls: by a session, or by an API key and perhaps a user's token.
type Caller struct {
	Session string `json:"session"`
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	// Expires is in how many seconds signatures expire; usual ones if it is 0.
	Expires int `json:"expires"`

	mutex sync.Mutex
	token thread.Token
}

func newCaller(given Given) *Caller {
	caller := &Caller{}
	given.into(0, caller)
	return caller
}

func (c *Caller) authorize(ctx context.Context) (context.Context, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	ctx = common.NewAPIKeyContext(common.NewSessionContext(ctx, c.Session), c.Key)
	ctx = thread.NewTokenContext(ctx, c.token)
	if c.Secret == "" {
		return ctx, nil
	}
	life := signatureLife
	if c.Expires != 0 {
		life = time.Duration(c.Expires) * time.Second
	}
	return common.CreateAPISigContext(ctx, time.Now().Add(life), c.Secret)
}

func (c *Caller) setToken(token thread.Token) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.token = token
}
