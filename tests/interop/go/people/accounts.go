package main

import (
	"context"

	"github.com/multiformats/go-multibase"
	"github.com/textileio/textile/v2/api/common"
	hub "github.com/textileio/textile/v2/api/hubd/client"
	"github.com/textileio/textile/v2/api/hubd/pb"
	"github.com/textileio/textile/v2/cmd"
)

type session struct {
	Key     string `json:"key"`
	Session string `json:"session"`
}

type sessionInfo struct {
	Key      string `json:"key"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

type keyInfo struct {
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	Type    int    `json:"type"`
	Valid   bool   `json:"valid"`
	Threads int32  `json:"threads"`
	Secure  bool   `json:"secure"`
}

type orgMember struct {
	Key      string `json:"key"`
	Username string `json:"username"`
	Role     string `json:"role"`
}

type orgInfo struct {
	Key       string      `json:"key"`
	Name      string      `json:"name"`
	Slug      string      `json:"slug"`
	Host      string      `json:"host"`
	Members   []orgMember `json:"members"`
	CreatedAt int64       `json:"createdAt"`
}

type orgName struct {
	Slug string `json:"slug"`
	Host string `json:"host"`
}

// newAdmin offers the client of api.hubd.pb with a session or an API key that is given.
func newAdmin(clients *cmd.Clients, given Given) Methods {
	caller := newCaller(given)
	c := clients.Hub
	// as makes a method of a function that calls for an organisation, whose slug is the argument at a place.
	as := func(org int, call func(context.Context, Given) (any, error)) func(context.Context, Given) (any, error) {
		return func(ctx context.Context, given Given) (any, error) {
			ctx, err := caller.authorize(ctx)
			if err != nil {
				return nil, err
			}
			if org >= 0 {
				ctx = common.NewOrgSlugContext(ctx, given.text(org))
			}
			return call(ctx, given)
		}
	}
	return Methods{
		"buildInfo": as(-1, func(ctx context.Context, _ Given) (any, error) {
			info, err := c.BuildInfo(ctx)
			return info.GetVersion(), err
		}),
		"signUp": as(-1, func(ctx context.Context, given Given) (any, error) {
			made, err := c.Signup(ctx, given.text(0), given.text(1))
			if err != nil {
				return nil, err
			}
			return session{keyText(made.Key), made.Session}, nil
		}),
		"signIn": as(-1, func(ctx context.Context, given Given) (any, error) {
			made, err := c.Signin(ctx, given.text(0))
			if err != nil {
				return nil, err
			}
			return session{keyText(made.Key), made.Session}, nil
		}),
		"signOut": as(-1, func(ctx context.Context, _ Given) (any, error) {
			return nil, c.Signout(ctx)
		}),
		"getSessionInfo": as(-1, func(ctx context.Context, _ Given) (any, error) {
			info, err := c.GetSessionInfo(ctx)
			if err != nil {
				return nil, err
			}
			return sessionInfo{keyText(info.Key), info.Username, info.Email}, nil
		}),
		"getIdentity": as(-1, func(ctx context.Context, _ Given) (any, error) {
			got, err := c.GetIdentity(ctx)
			if err != nil {
				return nil, err
			}
			return multibase.Encode(multibase.Base32, got.Identity)
		}),
		"createKey": as(2, func(ctx context.Context, given Given) (any, error) {
			made, err := c.CreateKey(ctx, pb.KeyType(given.number(0)), given.flag(1))
			if err != nil {
				return nil, err
			}
			return keyOf(made.KeyInfo), nil
		}),
		"invalidateKey": as(1, func(ctx context.Context, given Given) (any, error) {
			return nil, c.InvalidateKey(ctx, given.text(0))
		}),
		"listKeys": as(0, func(ctx context.Context, _ Given) (any, error) {
			list, err := c.ListKeys(ctx)
			keys := []keyInfo{}
			for _, each := range list.GetList() {
				keys = append(keys, keyOf(each))
			}
			return keys, err
		}),
		"createOrg": as(-1, func(ctx context.Context, given Given) (any, error) {
			made, err := c.CreateOrg(ctx, given.text(0))
			if err != nil {
				return nil, err
			}
			return orgOf(made.OrgInfo), nil
		}),
		"getOrg": as(0, func(ctx context.Context, _ Given) (any, error) {
			got, err := c.GetOrg(ctx)
			if err != nil {
				return nil, err
			}
			return orgOf(got.OrgInfo), nil
		}),
		"listOrgs": as(-1, func(ctx context.Context, _ Given) (any, error) {
			list, err := c.ListOrgs(ctx)
			orgs := []orgInfo{}
			for _, each := range list.GetList() {
				orgs = append(orgs, orgOf(each))
			}
			return orgs, err
		}),
		"removeOrg": as(0, func(ctx context.Context, _ Given) (any, error) {
			return nil, c.RemoveOrg(ctx)
		}),
		"inviteToOrg": as(1, func(ctx context.Context, given Given) (any, error) {
			invite, err := c.InviteToOrg(ctx, given.text(0))
			return invite.GetToken(), err
		}),
		"leaveOrg": as(0, func(ctx context.Context, _ Given) (any, error) {
			return nil, c.LeaveOrg(ctx)
		}),
		"setupBilling": as(-1, func(ctx context.Context, _ Given) (any, error) {
			return nil, c.SetupBilling(ctx)
		}),
		"getBillingSession": as(-1, func(ctx context.Context, _ Given) (any, error) {
			got, err := c.GetBillingSession(ctx)
			return got.GetUrl(), err
		}),
		"listBillingUsers": as(-1, func(ctx context.Context, given Given) (any, error) {
			list, err := c.ListBillingUsers(ctx, hub.WithOffset(given.number(0)), hub.WithLimit(given.number(1)))
			return len(list.GetUsers()), err
		}),
		"isUsernameAvailable": as(-1, func(ctx context.Context, given Given) (any, error) {
			return true, c.IsUsernameAvailable(ctx, given.text(0))
		}),
		"isOrgNameAvailable": as(-1, func(ctx context.Context, given Given) (any, error) {
			got, err := c.IsOrgNameAvailable(ctx, given.text(0))
			return orgName{got.GetSlug(), got.GetHost()}, err
		}),
		"destroyAccount": as(-1, func(ctx context.Context, _ Given) (any, error) {
			return nil, c.DestroyAccount(ctx)
		}),
	}
}

func keyOf(k *pb.KeyInfo) keyInfo {
	return keyInfo{k.Key, k.Secret, int(k.Type), k.Valid, k.Threads, k.Secure}
}

func orgOf(o *pb.OrgInfo) orgInfo {
	members := []orgMember{}
	for _, each := range o.Members {
		members = append(members, orgMember{keyText(each.Key), each.Username, each.Role})
	}
	return orgInfo{keyText(o.Key), o.Name, o.Slug, o.Host, members, o.CreatedAt}
}
