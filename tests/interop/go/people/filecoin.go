package main

import (
	"context"

	"github.com/textileio/textile/v2/cmd"
)

// newFilecoin offers the client of powergate.user.v1 as somebody who calls. Replies are nothing to tell of:
// our hub has none.
func newFilecoin(clients *cmd.Clients, caller *Caller) Methods {
	c := clients.Filecoin
	as := func(call func(context.Context, Given) error) func(context.Context, Given) (any, error) {
		return func(ctx context.Context, given Given) (any, error) {
			ctx, err := caller.authorize(ctx)
			if err != nil {
				return nil, err
			}
			return nil, call(ctx, given)
		}
	}
	return Methods{
		"addresses": as(func(ctx context.Context, _ Given) error {
			_, err := c.Addresses(ctx)
			return err
		}),
		"balance": as(func(ctx context.Context, given Given) error {
			_, err := c.Balance(ctx, given.text(0))
			return err
		}),
		"signMessage": as(func(ctx context.Context, given Given) error {
			_, err := c.SignMessage(ctx, given.text(0), []byte("message"))
			return err
		}),
		"verifyMessage": as(func(ctx context.Context, given Given) error {
			_, err := c.VerifyMessage(ctx, given.text(0), []byte("message"), []byte("signature"))
			return err
		}),
		"cidInfo": as(func(ctx context.Context, given Given) error {
			_, err := c.CidInfo(ctx, given.text(0))
			return err
		}),
		"storageDealRecords": as(func(ctx context.Context, _ Given) error {
			_, err := c.StorageDealRecords(ctx, nil)
			return err
		}),
		"retrievalDealRecords": as(func(ctx context.Context, _ Given) error {
			_, err := c.RetrievalDealRecords(ctx, nil)
			return err
		}),
	}
}
