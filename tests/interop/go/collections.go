package main

import (
	"context"
	"encoding/json"

	threads "github.com/textileio/go-threads/api/client"
	coredb "github.com/textileio/go-threads/core/db"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/go-threads/db"
	"github.com/textileio/go-threads/util"
)

// Dog is an instance of the collection that these calls are about.
type Dog struct {
	ID   string   `json:"_id"`
	Name string   `json:"name"`
	Age  int      `json:"age"`
	Good bool     `json:"good"`
	Tags []string `json:"tags,omitempty"`
}

type change struct {
	Collection string          `json:"collection"`
	Type       int             `json:"type"`
	ID         string          `json:"id"`
	Instance   json.RawMessage `json:"instance"`
}

// queries is one of each kind that the client can build.
func queries() map[string]*db.Query {
	return map[string]*db.Query{
		"all":            {},
		"equal":          db.Where("name").Eq("b"),
		"not equal":      db.Where("name").Ne("b"),
		"greater":        db.Where("age").Gt(2.0),
		"less":           db.Where("age").Lt(2.0),
		"not less":       db.Where("age").Ge(2.0),
		"not greater":    db.Where("age").Le(2.0),
		"bool":           db.Where("good").Eq(true),
		"and":            db.Where("age").Ge(2.0).And("good").Eq(true),
		"or":             db.Where("name").Eq("a").Or(db.Where("name").Eq("d")),
		"ordered":        db.OrderBy("age"),
		"descending":     db.OrderByDesc("age"),
		"by id":          db.OrderByID(),
		"by id down":     db.OrderByIDDesc(),
		"limited":        db.OrderBy("age").LimitTo(2),
		"skipped":        db.OrderBy("age").SkipNum(1).LimitTo(2),
		"with index":     db.Where("name").Eq("c").UseIndex("name"),
		"after an id":    db.OrderByID().SeekID(coredb.InstanceID("2")),
		"nothing at all": db.Where("name").Eq("nobody"),
	}
}

// collections does with collections and instances what the client can.
func collections(ctx context.Context, p *Peer) (any, error) {
	id, err := thread.Decode(p.Thread)
	if err != nil {
		return nil, err
	}
	result := struct {
		Outcomes map[string]Outcome  `json:"outcomes"`
		Found    map[string][]string `json:"found"`
		Created  []string            `json:"created"`
		Heard    []change            `json:"heard"`
		Indexes  []string            `json:"indexes"`
		Dogs     []*Dog              `json:"dogs"`
	}{Outcomes: map[string]Outcome{}, Found: map[string][]string{}}
	note := func(name string, err error) { result.Outcomes[name] = outcome(err) }
	config := db.CollectionConfig{
		Name:    "dogs",
		Schema:  util.SchemaFromInstance(&Dog{}, false),
		Indexes: []db.Index{{Path: "name", Unique: true}},
	}
	if err := p.threads.NewCollection(ctx, id, config); err != nil {
		return nil, err
	}
	note("the same collection again", p.threads.NewCollection(ctx, id, config))
	config.Indexes = append(config.Indexes, db.Index{Path: "age"})
	if err := p.threads.UpdateCollection(ctx, id, config); err != nil {
		return nil, err
	}
	indexes, err := p.threads.GetCollectionIndexes(ctx, id, "dogs")
	if err != nil {
		return nil, err
	}
	for _, index := range indexes {
		result.Indexes = append(result.Indexes, index.Path)
	}
	_, err = p.threads.GetCollectionInfo(ctx, id, "cats")
	note("no such collection", err)

	listening, stop := context.WithCancel(ctx)
	defer stop()
	events, err := p.threads.Listen(listening, id, []threads.ListenOption{{Collection: "dogs"}})
	if err != nil {
		return nil, err
	}
	// Nothing says when the hub has begun to listen: write to a dog of its own until it is heard of.
	if err := hearFirst(ctx, p, id, events); err != nil {
		return nil, err
	}
	hear := func() error {
		event := <-events
		if event.Err != nil {
			return event.Err
		}
		told := change{event.Action.Collection, int(event.Action.Type), event.Action.InstanceID, event.Action.Instance}
		if len(told.Instance) == 0 {
			told.Instance = json.RawMessage("null")
		}
		result.Heard = append(result.Heard, told)
		return nil
	}

	result.Created, err = p.threads.Create(ctx, id, "dogs", threads.Instances{
		&Dog{ID: "1", Name: "a", Age: 1, Good: true},
		&Dog{ID: "2", Name: "b", Age: 2},
		&Dog{ID: "3", Name: "c", Age: 3, Good: true},
		&Dog{Name: "d", Age: 4},
	})
	if err != nil {
		return nil, err
	}
	for range result.Created {
		if err := hear(); err != nil {
			return nil, err
		}
	}
	_, err = p.threads.Create(ctx, id, "dogs", threads.Instances{&Dog{ID: "1", Name: "e"}})
	note("an id that is taken", err)
	_, err = p.threads.Create(ctx, id, "dogs", threads.Instances{&Dog{ID: "9", Name: "a"}})
	note("a name that is taken", err)
	_, err = p.threads.Create(ctx, id, "dogs", threads.Instances{map[string]int{"name": 5}})
	note("not of the schema", err)
	note("a verification", p.threads.Verify(ctx, id, "dogs", threads.Instances{&Dog{ID: "1", Name: "a"}}))
	for name, query := range queries() {
		found, err := p.threads.Find(ctx, id, "dogs", query, &Dog{})
		if err != nil {
			note(name, err)
			continue
		}
		result.Found[name] = []string{}
		for _, dog := range found.([]*Dog) {
			result.Found[name] = append(result.Found[name], dog.Name)
		}
	}

	if err := p.threads.Save(ctx, id, "dogs", threads.Instances{
		&Dog{ID: "1", Name: "a", Age: 10, Tags: []string{"x"}}}); err != nil {
		return nil, err
	}
	if err := hear(); err != nil {
		return nil, err
	}
	if err := p.threads.Delete(ctx, id, "dogs", []string{"2"}); err != nil {
		return nil, err
	}
	if err := hear(); err != nil {
		return nil, err
	}
	note("an instance that is gone", p.threads.FindByID(ctx, id, "dogs", "2", &Dog{}))
	if has, err := p.threads.Has(ctx, id, "dogs", []string{"1", "2"}); err != nil || has {
		note("all of them", err)
	}
	if err := transactions(ctx, p, id, note); err != nil {
		return nil, err
	}
	all, err := p.threads.Find(ctx, id, "dogs", db.OrderBy("age"), &Dog{})
	if err != nil {
		return nil, err
	}
	result.Dogs = all.([]*Dog)
	return result, nil
}

func hearFirst(ctx context.Context, p *Peer, id thread.ID, events <-chan threads.ListenEvent) error {
	for {
		if err := p.threads.Save(ctx, id, "dogs", threads.Instances{&Dog{ID: "0", Name: "probe"}}); err != nil {
			return err
		}
		select {
		case event := <-events:
			if event.Err != nil {
				return event.Err
			}
		case <-soon():
			continue
		}
		break
	}
	if err := p.threads.Delete(ctx, id, "dogs", []string{"0"}); err != nil {
		return err
	}
	for event := range events {
		if event.Err != nil || event.Action.Type == threads.ActionDelete {
			return event.Err
		}
	}
	return nil
}

// transactions writes in one that is committed and in one that is discarded, and reads in a third.
func transactions(ctx context.Context, p *Peer, id thread.ID, note func(string, error)) error {
	write, err := p.threads.WriteTransaction(ctx, id, "dogs")
	if err != nil {
		return err
	}
	end, err := write.Start()
	if err != nil {
		return err
	}
	if _, err := write.Create(&Dog{ID: "5", Name: "five", Age: 5}); err != nil {
		return err
	}
	if err := write.Save(&Dog{ID: "3", Name: "c", Age: 30}); err != nil {
		return err
	}
	_, err = write.Create(&Dog{ID: "3", Name: "again"})
	note("an id that is taken, in a transaction", err)
	note("a commit", end())

	write, err = p.threads.WriteTransaction(ctx, id, "dogs")
	if err != nil {
		return err
	}
	if end, err = write.Start(); err != nil {
		return err
	}
	if err := write.Delete("1"); err != nil {
		return err
	}
	if err := write.Discard(); err != nil {
		return err
	}
	note("the end of what was discarded", end())

	read, err := p.threads.ReadTransaction(ctx, id, "dogs")
	if err != nil {
		return err
	}
	if end, err = read.Start(); err != nil {
		return err
	}
	dog := &Dog{}
	note("reading in a transaction", read.FindByID("5", dog))
	note("reading what is not there", read.FindByID("6", dog))
	note("the end of reading", end())
	return nil
}
