// Package teamd words what Yoke knows as teamd does.
package teamd
