package keepalive

//go:generate go tool bpf2go -target bpfel,bpfeb -go-package keepalive -output-stem programs -type speech -type note -type speech_flag -type why keepalive bpf/keepalive.c -- -O2 -g -mcpu=v3 -Wall -Wextra -Werror -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu
