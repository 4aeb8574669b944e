// Opens streams of secrets, each over a connection of its own, acknowledges everything, and prints for each push one line of JSON when it has reached the last stream:
//
//	{"version":"…","lastMicros":…,"medianMicros":…}
//
// A version is the time of its push, in microseconds since the epoch. The first line, for what is there at the beginning, tells that all streams are open.
//
//	go run . ADDRESS ROOTS.pem STREAMS NAME
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"os"
	"sort"
	"strconv"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secret "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const typeURL = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"

type arrival struct {
	version string
	at      int64
}

func main() {
	roots, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) {
		log.Fatal("no roots")
	}
	streams, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	arrivals := make(chan arrival, streams)
	for i := range streams {
		go follow(os.Args[1], credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "localhost"}), os.Args[4], i, arrivals)
	}
	seen := map[string][]int64{}
	out := json.NewEncoder(os.Stdout)
	for a := range arrivals {
		seen[a.version] = append(seen[a.version], a.at)
		if len(seen[a.version]) < streams {
			continue
		}
		times := seen[a.version]
		delete(seen, a.version)
		sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
		pushed, _ := strconv.ParseInt(a.version, 10, 64)
		out.Encode(map[string]any{
			"version":      a.version,
			"lastMicros":   times[len(times)-1] - pushed,
			"medianMicros": times[len(times)/2] - pushed,
		})
	}
}

func follow(address string, creds credentials.TransportCredentials, name string, number int, arrivals chan<- arrival) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds))
	if err != nil {
		log.Fatal(err)
	}
	stream, err := secret.NewSecretDiscoveryServiceClient(connection).StreamSecrets(context.Background(), grpc.WaitForReady(true))
	if err != nil {
		log.Fatal(err)
	}
	request := &discovery.DiscoveryRequest{
		Node:          &core.Node{Id: "proxy-" + strconv.Itoa(number)},
		TypeUrl:       typeURL,
		ResourceNames: []string{name},
	}
	for {
		if err := stream.Send(request); err != nil {
			log.Fatal(err)
		}
		response, err := stream.Recv()
		if err != nil {
			log.Fatal(err)
		}
		arrivals <- arrival{response.VersionInfo, time.Now().UnixMicro()}
		request = &discovery.DiscoveryRequest{
			TypeUrl:       typeURL,
			ResourceNames: []string{name},
			VersionInfo:   response.VersionInfo,
			ResponseNonce: response.Nonce,
		}
	}
}
