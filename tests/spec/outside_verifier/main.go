// An outside verifier of a ledger's files: Go's own checksum-database code, which shares nothing with ours.
//
//	verify FOLDER VKEY
//
// Opens the signed checkpoint, replays every entry, checks the root, and proves every 97th entry and the growth
// from every 101st size from the tiles. Prints the tree's size.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"outside/note"
	"outside/tlog"
)

type folder string

// stored is the hashes of the leaves and of the subtrees they complete, in the order in which tlog numbers them.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = s[index]
	}
	return hashes, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func (f folder) read(level string, index, width int64) []byte {
	path := fmt.Sprintf("%03d", index%1000)
	for rest := index / 1000; rest > 0; rest /= 1000 {
		path = fmt.Sprintf("x%03d/%s", rest%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return must(os.ReadFile(filepath.Join(string(f), "tile", level, path)))
}

func main() {
	f, verifier := folder(os.Args[1]), must(note.NewVerifier(os.Args[2]))
	signed := must(os.ReadFile(filepath.Join(string(f), "checkpoint")))
	opened := must(note.Open(signed, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	size := must(strconv.ParseInt(lines[1], 10, 64))
	root := must(tlog.ParseHash(lines[2]))

	var hashes stored
	for first := int64(0); first < size; first += 256 {
		width := min(256, size-first)
		bundle, tile := f.read("entries", first/256, width), f.read("0", first/256, width)
		for i := int64(0); i < width; i++ {
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			leaf := tlog.RecordHash(entry)
			if string(leaf[:]) != string(tile[32*i:32*i+32]) {
				must(0, fmt.Errorf("entry %d is not what its tile says", first+i))
			}
			hashes = append(hashes, must(tlog.StoredHashesForRecordHash(first+i, leaf, hashes))...)
		}
	}
	if computed := must(tlog.TreeHash(size, hashes)); computed != root {
		must(0, fmt.Errorf("the root is %v, signed is %v", computed, root))
	}
	for index := int64(0); index < size; index += 97 {
		proof := must(tlog.ProveRecord(size, index, hashes))
		leaf := hashes[tlog.StoredHashIndex(0, index)]
		must(0, tlog.CheckRecord(proof, size, root, index, leaf))
	}
	for older := int64(1); older < size; older += 101 {
		proof := must(tlog.ProveTree(size, older, hashes))
		must(0, tlog.CheckTree(proof, size, root, older, must(tlog.TreeHash(older, hashes))))
	}
	fmt.Println(size)
}
