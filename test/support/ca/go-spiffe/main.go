// The Workload API as go-spiffe sees it, unchanged. One word says what to do; the socket is SPIFFE_ENDPOINT_SOCKET.
//
//	watch         prints the ID and the serial of each X.509-SVID as it comes, and why a watch failed
//	serve PEER    TLS on a free port of this machine, for PEER alone; prints the port; tells each client its own ID
//	dial PORT ID  asks the server at PORT, which must be ID; prints what it says
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
)

func main() {
	ctx := context.Background()
	var err error
	switch os.Args[1] {
	case "watch":
		err = workloadapi.WatchX509Context(ctx, watcher{})
	case "serve":
		err = serve(ctx, spiffeid.RequireFromString(os.Args[2]))
	case "dial":
		err = dial(ctx, os.Args[2], spiffeid.RequireFromString(os.Args[3]))
	default:
		err = fmt.Errorf("unknown word %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	svid := update.DefaultSVID()
	bundle, err := update.Bundles.GetX509BundleForTrustDomain(svid.ID.TrustDomain())
	if err != nil {
		fmt.Println("error", err)
		return
	}
	id, _, err := x509svid.Verify(svid.Certificates, bundle)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Printf("svid %s %x %d\n", id, svid.Certificates[0].SerialNumber, len(bundle.X509Authorities()))
}

func (watcher) OnX509ContextWatchError(err error) { fmt.Println("error", err) }

func serve(ctx context.Context, peer spiffeid.ID) error {
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, tlsconfig.AuthorizeID(peer)))
	if err != nil {
		return err
	}
	fmt.Println("port", listener.Addr().String())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			secure := conn.(*tls.Conn)
			if err := secure.Handshake(); err != nil {
				fmt.Println("error", err)
				return
			}
			id, err := x509svid.IDFromCert(secure.ConnectionState().PeerCertificates[0])
			fmt.Fprintln(conn, id, err)
		}()
	}
}

func dial(ctx context.Context, address string, server spiffeid.ID) error {
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	conn, err := tls.Dial("tcp", address, tlsconfig.MTLSClientConfig(source, source, tlsconfig.AuthorizeID(server)))
	if err != nil {
		return err
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(line)
	return err
}
