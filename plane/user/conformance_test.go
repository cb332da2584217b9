package user_test

import (
	"context"

	"github.com/yokelag/yoke/plane/planetest"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
	"github.com/yokelag/yoke/plane/user"
)

// world is a kernel with this plane in it.
func world() planetest.World {
	return vethtest.World(func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
		return user.Open(ctx, user.Options{Name: s.Name, StateDir: s.StateDir})
	})
}
