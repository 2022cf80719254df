package main

import (
	"context"
	"fmt"
	"time"

	threads "github.com/textileio/go-threads/api/client"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/go-threads/db"
)

type person struct {
	ID     string `json:"_id"`
	Name   string `json:"name"`
	Number int    `json:"number"`
	Email  string `json:"email"`
}

// documents creates instances in the collection Name, from the number Size on: Count calls with one each,
// and one with a thousand; then finds one by its number, Count times. It tells how many seconds each took.
func documents(ctx context.Context, p *Peer) (any, error) {
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	number := int(p.Size)
	next := func() person {
		number++
		return person{Name: fmt.Sprint("person ", number), Number: number, Email: fmt.Sprintf("person%d@example.com", number)}
	}

	started := time.Now()
	for i := 0; i < p.Count; i++ {
		if _, err := p.threads.Create(ctx, id, p.Name, threads.Instances{next()}); err != nil {
			return nil, err
		}
	}
	created := time.Since(started)

	instances := threads.Instances{}
	for i := 0; i < 1000; i++ {
		instances = append(instances, next())
	}
	started = time.Now()
	if _, err := p.threads.Create(ctx, id, p.Name, instances); err != nil {
		return nil, err
	}
	batched := time.Since(started)

	started = time.Now()
	for i := 0; i < p.Count; i++ {
		found, err := p.threads.Find(ctx, id, p.Name, db.Where("number").Eq(float64(number-i)), &person{})
		if err != nil {
			return nil, err
		}
		if people := found.([]*person); len(people) != 1 || people[0].Number != number-i {
			return nil, fmt.Errorf("found %d instances for one number", len(people))
		}
	}
	return struct {
		Create float64 `json:"create"`
		Batch  float64 `json:"batch"`
		Find   float64 `json:"find"`
	}{created.Seconds(), batched.Seconds(), time.Since(started).Seconds()}, nil
}
