package vethtest_test

import (
	"testing"

	"github.com/yokelag/yoke/plane/planetest"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
)

func TestConformance(t *testing.T) {
	forEachPlane(t, func(t *testing.T, open vethtest.Opener) { planetest.Run(t, vethtest.World(open)) })
}
