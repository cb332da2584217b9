package ebpf

//go:generate go tool bpf2go -target bpfel,bpfeb -go-package ebpf -output-stem yoke -type plan -type port -type choice -type port_stats -type entry_stats -type taken -type move -type flag -type port_flag -type reason yoke bpf/yoke.c -- -O2 -g -Wall -Wextra -Werror -I/usr/include/x86_64-linux-gnu -I/usr/include/aarch64-linux-gnu
