// Asks crypto/x509 about chains: a JSON object a line comes in, a line goes out, "accepts" or "refuses: why".
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type question struct {
	// DER, leaf first; encoding/json reads base64 into bytes.
	Chain    [][]byte `json:"chain"`
	Anchors  [][]byte `json:"anchors"`
	AtMillis int64    `json:"atMillis"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<24)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := verify(asked); err != nil {
			fmt.Printf("refuses: %q\n", err.Error())
		} else {
			fmt.Println("accepts")
		}
	}
}

func verify(asked question) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, der := range asked.Anchors {
		anchor, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		roots.AddCert(anchor)
	}
	var leaf *x509.Certificate
	for _, der := range asked.Chain {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		if leaf == nil {
			leaf = certificate
		} else {
			between.AddCert(certificate)
		}
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: between,
		CurrentTime:   time.UnixMilli(asked.AtMillis),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}
