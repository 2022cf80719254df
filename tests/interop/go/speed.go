package main

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"bytes"
)

// speed pushes random bytes from memory and pulls them again, and tells how many seconds each took.
func speed(ctx context.Context, p *Peer) (any, error) {
	content := make([]byte, p.Size)
	if _, err := rand.Read(content); err != nil {
		return nil, err
	}
	started := time.Now()
	if _, _, err := p.buckets.PushPath(ctx, p.Bucket, "speed", bytes.NewReader(content)); err != nil {
		return nil, err
	}
	pushed := time.Since(started)

	started = time.Now()
	count := counter(0)
	if err := p.buckets.PullPath(ctx, p.Bucket, "speed", &count); err != nil {
		return nil, err
	}
	if int64(count) != p.Size {
		return nil, io.ErrUnexpectedEOF
	}
	return struct {
		Push float64 `json:"push"`
		Pull float64 `json:"pull"`
	}{pushed.Seconds(), time.Since(started).Seconds()}, nil
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(data []byte) (int, error) {
	*c += counter(len(data))
	return len(data), nil
}
