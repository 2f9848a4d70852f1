// Renders the templates of a Helm chart. Reads one JSON object from stdin and writes one to stdout: the text of each file.
//
// The template language is Go's own package text/template with the functions of sprig, as in Helm. What Helm adds is defined
// here: include, required, fail, toYaml, fromYaml, toJson and the object Files. Charts that need more of Helm do not render.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"github.com/ghodss/yaml"
)

// Input of a rendering.
type input struct {
	// Templates by path; names that begin with an underscore define only.
	Templates map[string]string
	// Other files of the chart by path.
	Files files
	// What templates see: Values, Release, Chart.
	Context map[string]interface{}
}

type files map[string]string

// Get returns a file of the chart, empty if there is none.
func (f files) Get(name string) string { return f[name] }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		return err
	}
	given.Context["Files"] = given.Files
	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(functions(all))
	for name, text := range given.Templates {
		if _, err := all.New(name).Parse(text); err != nil {
			return err
		}
	}
	rendered := map[string]string{}
	for name := range given.Templates {
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		var out strings.Builder
		if err := all.ExecuteTemplate(&out, name, given.Context); err != nil {
			return err
		}
		// A missing value prints as nothing, as in Helm.
		rendered[name] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	return json.NewEncoder(os.Stdout).Encode(rendered)
}

func functions(all *template.Template) template.FuncMap {
	known := sprig.TxtFuncMap()
	// A chart must not depend on the machine that renders it.
	delete(known, "env")
	delete(known, "expandenv")
	known["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	known["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	known["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	known["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	known["fromYaml"] = func(text string) (map[string]interface{}, error) {
		value := map[string]interface{}{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	known["toJson"] = func(value interface{}) (string, error) {
		text, err := json.Marshal(value)
		return string(text), err
	}
	return known
}
