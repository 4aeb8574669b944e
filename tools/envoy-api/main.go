// Command envoy-api writes a FileDescriptorSet of the part of Envoy's API that Garita speaks, to standard output.
//
// The packages named in the imports below are the roots. Their files and whatever those import are written, every file after the
// files that it imports, and deterministically: the same module version gives the same bytes.
package main

import (
	"fmt"
	"os"

	descriptorset "garita/tools/descriptor-set"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/direct_response/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	_ "google.golang.org/grpc/health/grpc_health_v1"
)

// roots are the files that the program's users name in their own imports; everything else is there because a root imports it.
var roots = []string{
	"envoy/config/bootstrap/v3/bootstrap.proto",
	"envoy/extensions/access_loggers/file/v3/file.proto",
	"envoy/extensions/access_loggers/stream/v3/stream.proto",
	"envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto",
	"envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto",
	"envoy/extensions/filters/http/jwt_authn/v3/config.proto",
	"envoy/extensions/filters/http/rbac/v3/rbac.proto",
	"envoy/extensions/filters/http/router/v3/router.proto",
	"envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.proto",
	"envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
	"envoy/extensions/filters/network/direct_response/v3/config.proto",
	"envoy/extensions/filters/network/ext_authz/v3/ext_authz.proto",
	"envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
	"envoy/extensions/filters/network/rbac/v3/rbac.proto",
	"envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
	"envoy/extensions/transport_sockets/tls/v3/tls.proto",
	"envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config.proto",
	"envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
	"envoy/service/auth/v3/external_auth.proto",
	"envoy/service/discovery/v3/ads.proto",
	"envoy/service/secret/v3/sds.proto",
	"grpc/health/v1/health.proto",
}

func main() {
	files, size, err := descriptorset.Write(os.Stdout, roots)
	if err != nil {
		fmt.Fprintf(os.Stderr, "envoy-api: %v\n", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "envoy-api: %d files, %d bytes\n", files, size)
}
