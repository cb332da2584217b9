package main

import "context"

func measureFailover(context.Context, settings, *report) error { return nil }
func measureMany(context.Context, settings, *report) error     { return nil }
