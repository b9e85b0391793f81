// Runs one recipe: a token a line comes in, and whose it is goes out.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"example.com/backend/wxlogin"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked struct {
			ID    int    `json:"id"`
			Token string `json:"token"`
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		verdict := map[string]interface{}{"id": asked.ID}
		if userID, err := wxlogin.UserIDOf(asked.Token); err != nil {
			verdict["reason"] = err.Error()
		} else {
			verdict["userId"] = userID
		}
		if err := out.Encode(verdict); err != nil {
			panic(err)
		}
	}
}
