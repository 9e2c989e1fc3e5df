package main

import (
	"fmt"
	"runtime/debug"
)

// versionCommand prints what was built.
type versionCommand struct{}

// Run prints the version that the build recorded.
func (versionCommand) Run() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Println("probity (unknown build)")
		return nil
	}
	version, revision := info.Main.Version, ""
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = " " + setting.Value
		}
	}
	fmt.Printf("probity %s%s %s\n", version, revision, info.GoVersion)
	return nil
}
