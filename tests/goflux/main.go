// Command goflux replaces variables in objects as Flux's kustomize-controller does.
//
// Each line of standard input is {"variables": {...}, "object": ...}; each line of the output is
// {"object": ...} or {"error": "..."}. An object is written as YAML by sigs.k8s.io/yaml, its
// variables are replaced in that text by fluxcd/pkg/envsubst, where an unknown one is an error, and
// what comes out is read again: SubstituteVariables of github.com/fluxcd/pkg/kustomize.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/yaml"
)

type question struct {
	Variables map[string]string `json:"variables"`
	Object    json.RawMessage   `json:"object"`
}

type answer struct {
	Object json.RawMessage `json:"object,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	questions := json.NewDecoder(in)
	buffered := bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	for {
		var asked question
		if err := questions.Decode(&asked); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		var given answer
		if object, err := substitute(asked); err != nil {
			given.Error = err.Error()
		} else {
			given.Object = object
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

// substitute answers one question. envsubst panics on some negative lengths.
func substitute(asked question) (object []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	text, err := yaml.JSONToYAML(asked.Object)
	if err != nil {
		return nil, err
	}
	replaced, err := envsubst.Eval(string(text), func(name string) (string, bool) {
		value, known := asked.Variables[name]
		return value, known
	})
	if err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON([]byte(replaced))
}
