package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"github.com/textileio/textile/v2/cmd"
	"github.com/textileio/textile/v2/mail/local"
)

var eventNames = map[local.MailboxEventType]string{
	local.NewMessage: "CREATE", local.MessageRead: "SAVE", local.MessageDeleted: "DELETE",
}

type mailConfig struct {
	Path     string `json:"path"`
	Identity string `json:"identity"`
	Key      string `json:"key"`
	Secret   string `json:"secret"`
}

// newMail offers the library of local mailboxes.
func newMail(clients *cmd.Clients, _ Given) Methods {
	mail := local.NewMail(clients, local.DefaultConfConfig())
	return Methods{
		// newMailbox takes a folder, an identity, an API key and its secret.
		"newMailbox": func(ctx context.Context, given Given) (any, error) {
			box, err := mail.NewMailbox(ctx, local.Config{
				Path: given.text(0), Identity: given.identity(1), APIKey: given.text(2), APISecret: given.text(3),
			})
			return mailboxOf(box), err
		},
		"getLocalMailbox": func(ctx context.Context, given Given) (any, error) {
			box, err := mail.GetLocalMailbox(ctx, given.text(0))
			return mailboxOf(box), err
		},
		// newConfigFromCmd takes a folder, flags of a command line, and variables of the environment.
		"newConfigFromCmd": func(_ context.Context, given Given) (any, error) {
			var flags, environment map[string]string
			given.into(1, &flags)
			given.into(2, &environment)
			var config local.Config
			var refused error
			command := &cobra.Command{Use: "init", Run: func(c *cobra.Command, _ []string) {
				config, refused = mail.NewConfigFromCmd(c, given.text(0))
			}}
			command.SetArgs([]string{})
			for name, value := range flags {
				command.PersistentFlags().String(name, "", "")
				if err := command.PersistentFlags().Set(name, value); err != nil {
					return nil, err
				}
			}
			for name, value := range environment {
				os.Setenv(name, value)
				defer os.Unsetenv(name)
			}
			if err := command.Execute(); err != nil {
				return nil, err
			}
			if refused != nil {
				return nil, refused
			}
			return mailConfig{config.Path, config.Identity.GetPublic().String(), config.APIKey, config.APISecret}, nil
		},
	}
}

func mailboxOf(box *local.Mailbox) Methods {
	return Methods{
		"identity": func(context.Context, Given) (any, error) {
			return box.Identity().GetPublic().String(), nil
		},
		"sendMessage": func(ctx context.Context, given Given) (any, error) {
			sent, err := box.SendMessage(ctx, given.public(0), given.bytes(1))
			if err != nil {
				return nil, err
			}
			return messageOf(sent), nil
		},
		"listInboxMessages": func(ctx context.Context, given Given) (any, error) {
			return messagesOf(box.ListInboxMessages(ctx, given.listing(0)...))
		},
		"listSentboxMessages": func(ctx context.Context, given Given) (any, error) {
			return messagesOf(box.ListSentboxMessages(ctx, given.listing(0)...))
		},
		"readInboxMessage": func(ctx context.Context, given Given) (any, error) {
			return nil, box.ReadInboxMessage(ctx, given.text(0))
		},
		"deleteInboxMessage": func(ctx context.Context, given Given) (any, error) {
			return nil, box.DeleteInboxMessage(ctx, given.text(0))
		},
		"deleteSentboxMessage": func(ctx context.Context, given Given) (any, error) {
			return nil, box.DeleteSentboxMessage(ctx, given.text(0))
		},
		"watchInbox": func(ctx context.Context, given Given) (any, error) {
			return watch(ctx, box.WatchInbox, given)
		},
		"watchSentbox": func(ctx context.Context, given Given) (any, error) {
			return watch(ctx, box.WatchSentbox, given)
		},
	}
}

type watching func(context.Context, chan<- local.MailboxEvent, bool) (<-chan cmd.WatchState, error)

// watch reports events to one callback and states of the connection to another, until it is closed.
// Events and states go through one goroutine each, so that they stay in order.
func watch(ctx context.Context, start watching, given Given) (any, error) {
	event, state := given.callback(0), given.callback(1)
	ctx, cancel := context.WithCancel(ctx)
	events := make(chan local.MailboxEvent)
	states, err := start(ctx, events, given.flag(2))
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		for {
			select {
			case each := <-events:
				event(eventNames[each.Type], string(each.MessageID))
			case <-ctx.Done():
				return
			}
		}
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for each := range states {
			text := ""
			if each.Err != nil {
				text = each.Err.Error()
			}
			state(each.State.String(), text, each.Aborted)
		}
	}()
	return Methods{
		"close": func(context.Context, Given) (any, error) {
			cancel()
			<-ended
			return nil, nil
		},
	}, nil
}
