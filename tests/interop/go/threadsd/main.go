// Command threadsd serves a fresh repository with the unmodified services of go-threads, put together as
// in their daemon of that name: Badger as the store, no Mongo.
//
// Theirs dials the bootstrap peers of the public network as soon as it starts, which no setting prevents;
// this one knows nobody. It has the gRPC door only, on loopback, at a port that the system chooses, and
// prints the address. It ends when its standard input does, so that no test can leave it behind.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	connmgr "github.com/libp2p/go-libp2p-connmgr"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/textileio/go-threads/api"
	pb "github.com/textileio/go-threads/api/pb"
	"github.com/textileio/go-threads/common"
	netapi "github.com/textileio/go-threads/net/api"
	netpb "github.com/textileio/go-threads/net/api/pb"
	"github.com/textileio/go-threads/util"
	"google.golang.org/grpc"
)

func main() {
	if err := serve(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func serve(repository string) error {
	if err := util.SetupDefaultLoggingConfig(""); err != nil {
		return err
	}
	host, err := ma.NewMultiaddr("/ip4/127.0.0.1/tcp/0")
	if err != nil {
		return err
	}
	network, err := common.DefaultNetwork(
		common.WithNetHostAddr(host),
		common.WithConnectionManager(connmgr.NewConnManager(100, 400, 20*time.Second)),
		common.WithNetPulling(10000, time.Second, time.Second, 10*time.Second),
		common.WithNetLogstore(common.LogstoreHybrid),
		common.WithNetBadgerPersistence(repository),
	)
	if err != nil {
		return err
	}
	defer network.Close()
	store, err := util.NewBadgerDatastore(repository, "eventstore", false)
	if err != nil {
		return err
	}
	service, err := api.NewService(store, network, api.Config{})
	if err != nil {
		return err
	}
	netService, err := netapi.NewService(network, netapi.Config{})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	pb.RegisterAPIServer(server, service)
	netpb.RegisterAPIServer(server, netService)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	fmt.Println(listener.Addr())
	return server.Serve(listener)
}
