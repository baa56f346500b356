// Renders a Helm chart as `helm template` does, where helm itself cannot be had: Go's own text/template, the functions of sprig, and those that
// Helm adds. What a chart may do beyond that (dependencies, hooks, lookup in a cluster) it refuses or leaves out.
//
//	helm-template CHART RELEASE NAMESPACE [VALUES.yaml…]
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type object = map[string]interface{}

// Helm's own limit on templates that include themselves.
const maxDepth = 1000

func main() {
	if len(os.Args) < 4 {
		fail(fmt.Errorf("usage: helm-template CHART RELEASE NAMESPACE [VALUES.yaml…]"))
	}
	text, err := render(os.Args[1], os.Args[2], os.Args[3], os.Args[4:])
	if err != nil {
		fail(err)
	}
	fmt.Print(text)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "helm-template:", err)
	os.Exit(1)
}

func render(chart, release, namespace string, files []string) (string, error) {
	metadata, err := read(filepath.Join(chart, "Chart.yaml"))
	if err != nil {
		return "", err
	}
	if metadata["dependencies"] != nil {
		return "", fmt.Errorf("%s: dependencies are not known here", chart)
	}
	values := object{}
	for _, file := range append([]string{filepath.Join(chart, "values.yaml")}, files...) {
		more, err := read(file)
		if err != nil {
			return "", err
		}
		merge(values, more)
	}
	root := object{
		"Values": values,
		// Helm shows a chart's fields with a capital letter.
		"Chart":   capitalised(metadata),
		"Release": object{"Name": release, "Namespace": namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1},
		"Capabilities": object{
			"KubeVersion": object{"Version": "v1.30.0", "Major": "1", "Minor": "30"},
		},
	}
	return execute(chart, root)
}

func execute(chart string, root object) (string, error) {
	set := template.New("chart").Option("missingkey=zero")
	set.Funcs(functions(set, root))
	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	if err != nil {
		return "", err
	}
	sort.Strings(paths)
	var names []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		name := filepath.Join(filepath.Base(chart), "templates", filepath.Base(path))
		if _, err := set.New(name).Parse(string(text)); err != nil {
			return "", err
		}
		if strings.HasSuffix(name, ".yaml") {
			names = append(names, name)
		}
	}
	var all strings.Builder
	for _, name := range names {
		root["Template"] = object{"Name": name, "BasePath": filepath.Dir(name)}
		var text bytes.Buffer
		if err := set.ExecuteTemplate(&text, name, root); err != nil {
			return "", err
		}
		// As Helm does: a value that is missing is nothing.
		rendered := strings.ReplaceAll(text.String(), "<no value>", "")
		if strings.TrimSpace(rendered) != "" {
			fmt.Fprintf(&all, "---\n# Source: %s\n%s\n", name, strings.TrimSpace(rendered))
		}
	}
	return all.String(), nil
}

func functions(set *template.Template, root object) template.FuncMap {
	known := sprig.TxtFuncMap()
	// Helm takes these away: a chart must not read the machine it is rendered on.
	delete(known, "env")
	delete(known, "expandenv")
	depth := 0
	include := func(name string, data interface{}) (string, error) {
		if depth++; depth > maxDepth {
			return "", fmt.Errorf("%s includes itself", name)
		}
		defer func() { depth-- }()
		var text strings.Builder
		err := set.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	known["include"] = include
	known["tpl"] = func(text string, data interface{}) (string, error) {
		copied, err := set.Clone()
		if err != nil {
			return "", err
		}
		parsed, err := copied.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		var rendered strings.Builder
		err = parsed.Execute(&rendered, data)
		return rendered.String(), err
	}
	known["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	known["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(text), "\n")
	}
	known["fromYaml"] = func(text string) object {
		value := object{}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			value["Error"] = err.Error()
		}
		return value
	}
	known["toJson"] = func(value interface{}) string {
		text, err := json.Marshal(value)
		if err != nil {
			return ""
		}
		return string(text)
	}
	known["lookup"] = func(string, string, string, string) object { return object{} }
	return known
}

func read(file string) (object, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	value := object{}
	if err := yaml.UnmarshalStrict(text, &value); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return value, nil
}

// Later values go before earlier ones, maps are merged, and null takes a value away.
func merge(values, more object) {
	for name, value := range more {
		if value == nil {
			delete(values, name)
			continue
		}
		inner, isMap := value.(object)
		earlier, wasMap := values[name].(object)
		if isMap && wasMap {
			merge(earlier, inner)
		} else {
			values[name] = value
		}
	}
}

func capitalised(metadata object) object {
	chart := object{}
	for name, value := range metadata {
		chart[strings.ToUpper(name[:1])+name[1:]] = value
	}
	return chart
}
