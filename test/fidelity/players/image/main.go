// The one program in the image of the real kubelet's pods: a pause that can also end, serve and turn unhealthy.
//
//	pause                      waits for SIGTERM, reaping children, as the sandbox and as a container
//	pause exit SECONDS CODE    ends by itself
//	pause serve PORT UNREADY_SECONDS HEALTHY_SECONDS
//	                           answers HTTP: 503, then 200, then 503 again (HEALTHY_SECONDS 0: 200 for ever)
package main

import (
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	var ended <-chan time.Time
	code := 0
	if len(os.Args) == 4 && os.Args[1] == "exit" {
		ended = time.After(seconds(os.Args[2]))
		code, _ = strconv.Atoi(os.Args[3])
	}
	if len(os.Args) == 5 && os.Args[1] == "serve" {
		go serve(os.Args[2], seconds(os.Args[3]), seconds(os.Args[4]))
	}
	for {
		select {
		case <-ended:
			os.Exit(code)
		case got := <-signals:
			if got != syscall.SIGCHLD {
				os.Exit(0)
			}
			for {
				if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
					break
				}
			}
		}
	}
}

func serve(port string, unready, healthy time.Duration) {
	began := time.Now()
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		os.Exit(3)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		age := time.Since(began)
		status := "200 OK"
		if age < unready || (healthy > 0 && age > unready+healthy) {
			status = "503 Service Unavailable"
		}
		connection.SetDeadline(time.Now().Add(time.Second))
		connection.Read(make([]byte, 4096))
		connection.Write([]byte("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		connection.Close()
	}
}

func seconds(text string) time.Duration {
	number, _ := strconv.ParseFloat(text, 64)
	return time.Duration(number * float64(time.Second))
}
