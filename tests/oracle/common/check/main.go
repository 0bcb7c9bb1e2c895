// Gives the cases of a folder to oracles and compares their answers with what the cases expect.
//
//	check FOLDER MINOR=PROGRAM…
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	oracle "landbridge.dev/oracle/common"
)

// written is a file with a case. Expect has by minor `accepted` or `refused` for each policy, then
// `EGRESS/INGRESS` for each flow.
type written struct {
	Why    string              `json:"why"`
	Case   json.RawMessage     `json:"case"`
	Expect map[string][]string `json:"expect"`
}

func main() {
	wrong, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
	if wrong > 0 {
		os.Exit(1)
	}
}

func run(arguments []string) (wrong int, err error) {
	if len(arguments) < 2 {
		return 0, fmt.Errorf("usage: check FOLDER MINOR=PROGRAM…")
	}
	cases, err := read(arguments[0])
	if err != nil {
		return 0, err
	}
	for _, argument := range arguments[1:] {
		minor, program, found := strings.Cut(argument, "=")
		if !found {
			return wrong, fmt.Errorf("%q is not MINOR=PROGRAM", argument)
		}
		differ, err := ask(cases, minor, program)
		if err != nil {
			return wrong, fmt.Errorf("%s: %w", minor, err)
		}
		fmt.Printf("%s: %d of %d cases as expected\n", minor, len(cases)-differ, len(cases))
		wrong += differ
	}
	return wrong, nil
}

func read(folder string) ([]written, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there are no cases in %s", folder)
	}
	cases := make([]written, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &cases[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return cases, nil
}

func ask(cases []written, minor, program string) (wrong int, err error) {
	var input bytes.Buffer
	for _, one := range cases {
		if err := json.Compact(&input, one.Case); err != nil {
			return 0, err
		}
		input.WriteByte('\n')
	}
	command := exec.Command(program)
	command.Stdin = &input
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return 0, err
	}
	answers := json.NewDecoder(bytes.NewReader(output))
	for _, one := range cases {
		var answer oracle.Answer
		if err := answers.Decode(&answer); err != nil {
			return wrong, err
		}
		if given, expected := lines(answer), one.Expect[minor]; !slices.Equal(given, expected) {
			wrong++
			fmt.Printf("%s: %s (%s)\n  expected %v\n  got      %v\n", minor, answer.ID, one.Why, expected, given)
			for _, reason := range reasons(answer) {
				fmt.Printf("  %s\n", reason)
			}
		}
	}
	return wrong, nil
}

func lines(answer oracle.Answer) []string {
	given := []string{}
	for _, policy := range answer.Policies {
		if policy.Accepted {
			given = append(given, "accepted")
		} else {
			given = append(given, "refused")
		}
	}
	for _, flow := range answer.Flows {
		given = append(given, flow.Egress.Verdict+"/"+flow.Ingress.Verdict)
	}
	return given
}

func reasons(answer oracle.Answer) []string {
	var found []string
	if answer.Error != "" {
		found = append(found, answer.Error)
	}
	for _, policy := range answer.Policies {
		if policy.Refused != "" {
			found = append(found, policy.Refused)
		}
	}
	for _, flow := range answer.Flows {
		for _, end := range []oracle.Verdict{flow.Egress, flow.Ingress} {
			if end.Error != "" {
				found = append(found, end.Error)
			}
		}
	}
	return found
}
