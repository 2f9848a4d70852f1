// A gRPC service as a team would write it that needs nothing but tokens: decodes the request, encrypts the three ECB tokens of
// a call and answers. No moderation, no limits, no record, no telemetry, no time limit of a token.
//
// Arguments: the path of the method, the key. Writes its address and the bytes of an answer, and serves until it is ended.
package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	caller = "anonymous@kandy.example"
	callee = "support@kandy.example"
)

// raw leaves the bytes of messages to the handler, which costs less than generated code does.
type raw struct{}

func (raw) Marshal(message interface{}) ([]byte, error) { return *message.(*[]byte), nil }
func (raw) Unmarshal(data []byte, message interface{}) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) String() string { return "proto" }

func token(block cipher.Block, user string, now int64) string {
	text := []byte(fmt.Sprintf("%s;%d", user, now))
	pad := aes.BlockSize - len(text)%aes.BlockSize
	for i := 0; i < pad; i++ {
		text = append(text, byte(pad))
	}
	for at := 0; at < len(text); at += aes.BlockSize {
		block.Encrypt(text[at:at+aes.BlockSize], text[at:at+aes.BlockSize])
	}
	return strings.ToUpper(hex.EncodeToString(text))
}

// destination reads the first field of the request, a text.
func destination(request []byte) (string, error) {
	number, kind, length := protowire.ConsumeTag(request)
	if length < 0 || number != 1 || kind != protowire.BytesType {
		return "", fmt.Errorf("the request names no destination")
	}
	text, length := protowire.ConsumeString(request[length:])
	if length < 0 {
		return "", fmt.Errorf("the request cannot be decoded")
	}
	return text, nil
}

func answer(block cipher.Block, request []byte) ([]byte, error) {
	if _, err := destination(request); err != nil {
		return nil, err
	}
	now := time.Now().UnixNano() / int64(time.Millisecond)
	var response []byte
	for field, user := range []string{caller, "sip:" + caller, "sip:" + callee} {
		response = protowire.AppendTag(response, protowire.Number(field+1), protowire.BytesType)
		response = protowire.AppendString(response, token(block, user, now))
	}
	return response, nil
}

func main() {
	path, key := os.Args[1], os.Args[2]
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		panic(err)
	}
	split := strings.LastIndex(path, "/")
	handler := func(_ interface{}, _ context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		response, err := answer(block, request)
		return &response, err
	}
	server := grpc.NewServer(grpc.CustomCodec(raw{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: path[1:split],
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: path[split+1:], Handler: handler}},
	}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	example, err := answer(block, []byte{0x0a, 0x01, 'x'})
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr(), len(example))
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}
