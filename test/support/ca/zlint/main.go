// Asks zlint about certificates: a JSON object a line comes in, a list of what it finds goes out.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

type question struct {
	// encoding/json reads base64 into bytes.
	Der []byte `json:"der"`
}

type finding struct {
	Lint   string `json:"lint"`
	Source string `json:"source"`
	Status string `json:"status"`
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
		certificate, err := x509.ParseCertificate(asked.Der)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		findings := []finding{}
		for name, result := range zlint.LintCertificate(certificate).Results {
			if result.Status < lint.Notice {
				continue
			}
			meta := lint.GlobalRegistry().CertificateLints().ByName(name)
			findings = append(findings, finding{name, string(meta.Source), result.Status.String()})
		}
		out, _ := json.Marshal(findings)
		fmt.Println(string(out))
	}
}
