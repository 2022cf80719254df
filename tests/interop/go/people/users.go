package main

import (
	"context"

	"github.com/ipfs/go-cid"
	"github.com/textileio/go-threads/core/thread"
	"github.com/textileio/textile/v2/api/common"
	users "github.com/textileio/textile/v2/api/usersd/client"
	"github.com/textileio/textile/v2/api/usersd/pb"
	"github.com/textileio/textile/v2/buckets/local"
	"github.com/textileio/textile/v2/cmd"
)

type threadInfo struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	IsDB bool   `json:"isDb"`
}

type usage struct {
	Customer customer         `json:"customer"`
	Usage    map[string]int64 `json:"usage"`
}

type customer struct {
	Key         string `json:"key"`
	ParentKey   string `json:"parentKey"`
	Email       string `json:"email"`
	AccountType int32  `json:"accountType"`
}

// listing is what a list call is given.
type listing struct {
	Seek      string `json:"seek"`
	Limit     int    `json:"limit"`
	Ascending bool   `json:"ascending"`
	Status    int    `json:"status"`
}

func (l listing) options() []users.ListOption {
	return []users.ListOption{
		users.WithSeek(l.Seek), users.WithLimit(l.Limit), users.WithAscending(l.Ascending),
		users.WithStatus(users.Status(l.Status)),
	}
}

func (g Given) listing(at int) (options []users.ListOption) {
	var given listing
	g.into(at, &given)
	return given.options()
}

// newUsers offers the client of api.usersd.pb with credentials that are given, and threads to be listed by it.
func newUsers(clients *cmd.Clients, given Given) Methods {
	caller := newCaller(given)
	c := clients.Users
	as := func(call func(context.Context, Given) (any, error)) func(context.Context, Given) (any, error) {
		return func(ctx context.Context, given Given) (any, error) {
			ctx, err := caller.authorize(ctx)
			if err != nil {
				return nil, err
			}
			return call(ctx, given)
		}
	}
	return Methods{
		"getToken": as(func(ctx context.Context, given Given) (any, error) {
			token, err := clients.Threads.GetToken(ctx, given.identity(0))
			caller.setToken(token)
			return token, err
		}),
		"newDB": as(func(ctx context.Context, given Given) (any, error) {
			id := thread.NewIDV1(thread.Raw, 32)
			return id.String(), clients.Threads.NewDB(common.NewThreadNameContext(ctx, given.text(0)), id)
		}),
		"getThread": as(func(ctx context.Context, given Given) (any, error) {
			return threadOf(c.GetThread(ctx, given.text(0)))
		}),
		"listThreads": as(func(ctx context.Context, _ Given) (any, error) {
			list, err := c.ListThreads(ctx)
			threads := []threadInfo{}
			for _, each := range list.GetList() {
				threads = append(threads, threadInfo{idText(each.Id), each.Name, each.IsDb})
			}
			return threads, err
		}),
		"setupMailbox": as(func(ctx context.Context, _ Given) (any, error) {
			id, err := c.SetupMailbox(ctx)
			if err != nil {
				return nil, err
			}
			return id.String(), nil
		}),
		"getMailboxID": as(func(ctx context.Context, _ Given) (any, error) {
			found, err := threadOf(c.GetThread(ctx, "hubmail"))
			return found.ID, err
		}),
		"sendMessage": as(func(ctx context.Context, given Given) (any, error) {
			sent, err := c.SendMessage(ctx, given.identity(0), given.public(1), given.bytes(2))
			if err != nil {
				return nil, err
			}
			return messageOf(sent), nil
		}),
		"listInboxMessages": as(func(ctx context.Context, given Given) (any, error) {
			return messagesOf(c.ListInboxMessages(ctx, given.listing(0)...))
		}),
		"listSentboxMessages": as(func(ctx context.Context, given Given) (any, error) {
			return messagesOf(c.ListSentboxMessages(ctx, given.listing(0)...))
		}),
		"readInboxMessage": as(func(ctx context.Context, given Given) (any, error) {
			return nil, c.ReadInboxMessage(ctx, given.text(0))
		}),
		"deleteInboxMessage": as(func(ctx context.Context, given Given) (any, error) {
			return nil, c.DeleteInboxMessage(ctx, given.text(0))
		}),
		"deleteSentboxMessage": as(func(ctx context.Context, given Given) (any, error) {
			return nil, c.DeleteSentboxMessage(ctx, given.text(0))
		}),
		"getUsage": as(func(ctx context.Context, given Given) (any, error) {
			var of struct {
				Key string `json:"dependentUserKey"`
			}
			given.into(0, &of)
			return usageOf(c.GetUsage(ctx, users.WithPubKey(of.Key)))
		}),
		"filecoin": func(context.Context, Given) (any, error) {
			return newFilecoin(clients, caller), nil
		},
		// sendPathInvite takes a folder, which becomes that of a new bucket in the thread that is named, who
		// sends to whom, and a path; it tells the bucket's key.
		"sendPathInvite": as(func(ctx context.Context, given Given) (any, error) {
			id, err := thread.Decode(given.text(1))
			if err != nil {
				return nil, err
			}
			authorize := func(ctx context.Context) context.Context {
				if ctx, err = caller.authorize(ctx); err != nil {
					panic(err) // the secret is not of the form that hubs give out
				}
				return ctx
			}
			folders := local.NewBucketsWithAuth(clients, local.DefaultConfConfig(), authorize)
			bucket, err := folders.NewBucket(ctx, local.Config{Path: given.text(0), Thread: id})
			if err != nil {
				return nil, err
			}
			return bucket.Key(), bucket.SendPathInvite(ctx, given.identity(2), given.public(3), given.text(4))
		}),
		"archivesLs": as(func(ctx context.Context, _ Given) (any, error) {
			list, err := c.ArchivesLs(ctx)
			return len(list.GetArchives()), err
		}),
		"archivesImport": as(func(ctx context.Context, given Given) (any, error) {
			id, err := cid.Decode(given.text(0))
			if err != nil {
				return nil, err
			}
			return nil, c.ArchivesImport(ctx, id, []uint64{uint64(given.number(1))})
		}),
		"archiveRetrievalLs": as(func(ctx context.Context, _ Given) (any, error) {
			list, err := c.ArchiveRetrievalLs(ctx)
			return len(list.GetRetrievals()), err
		}),
		"archiveRetrievalLogs": as(func(ctx context.Context, given Given) (any, error) {
			lines := make(chan string)
			go func() {
				for range lines {
				}
			}()
			defer close(lines)
			return nil, c.ArchiveRetrievalLogs(ctx, given.text(0), lines)
		}),
	}
}

func threadOf(found *pb.GetThreadResponse, err error) (threadInfo, error) {
	if err != nil {
		return threadInfo{}, err
	}
	return threadInfo{idText(found.Id), found.Name, found.IsDb}, nil
}

func usageOf(told *pb.GetUsageResponse, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	result := usage{Usage: map[string]int64{}}
	of := told.Customer
	result.Customer = customer{of.Key, of.ParentKey, of.Email, of.AccountType}
	for name, each := range told.Usage.Usage {
		result.Usage[name] = each.Total
	}
	return result, nil
}

// newPerson offers what can be done with an identity alone.
func newPerson(_ *cmd.Clients, given Given) Methods {
	identity := given.identity(0)
	return Methods{
		"decrypt": func(ctx context.Context, given Given) (any, error) {
			body := given.bytes(0)
			opened, err := users.Message{Body: body}.Open(ctx, identity)
			return toBytes(opened), err
		},
	}
}
