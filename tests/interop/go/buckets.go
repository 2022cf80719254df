package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"sync"

	"github.com/ipfs/interface-go-ipfs-core/path"
	buckets "github.com/textileio/textile/v2/api/bucketsd/client"
	"github.com/textileio/textile/v2/api/bucketsd/pb"
	"github.com/textileio/textile/v2/util"
)

type root struct {
	Key       string           `json:"key"`
	Name      string           `json:"name"`
	Path      string           `json:"path"`
	Owner     string           `json:"owner"`
	Thread    string           `json:"thread"`
	Version   int32            `json:"version"`
	CreatedAt int64            `json:"created_at"`
	UpdatedAt int64            `json:"updated_at"`
	Roles     map[string]int32 `json:"roles"`
}

func rootOf(r *pb.Root) root {
	roles := map[string]int32{}
	for who, role := range r.GetMetadata().GetRoles() {
		roles[who] = int32(role)
	}
	return root{r.Key, r.Name, r.Path, r.Owner, r.Thread, r.Version, r.CreatedAt, r.UpdatedAt, roles}
}

type links struct {
	URL  string `json:"url"`
	WWW  string `json:"www"`
	IPNS string `json:"ipns"`
}

func linksOf(l *pb.LinksResponse) links { return links{l.Url, l.Www, l.Ipns} }

type item struct {
	CID   string `json:"cid"`
	Name  string `json:"name"`
	Path  string `json:"path"`
	Size  int64  `json:"size"`
	IsDir bool   `json:"is_dir"`
	Count int32  `json:"count"`
	Items []item `json:"items"`
}

func itemOf(i *pb.PathItem) item {
	result := item{i.Cid, i.Name, i.Path, i.Size, i.IsDir, i.ItemsCount, []item{}}
	for _, child := range i.Items {
		result.Items = append(result.Items, itemOf(child))
	}
	return result
}

func create(ctx context.Context, p *Peer) (any, error) {
	made, err := p.buckets.Create(ctx, buckets.WithName(p.Name))
	if err != nil {
		return nil, err
	}
	return struct {
		Root    root   `json:"root"`
		Links   links  `json:"links"`
		Seed    string `json:"seed"`
		SeedCID string `json:"seed_cid"`
		Pinned  int64  `json:"pinned"`
	}{rootOf(made.Root), linksOf(made.Links), hex.EncodeToString(made.Seed), made.SeedCid, made.Pinned}, nil
}

// read lists the bucket and each of the request's paths in it.
func read(ctx context.Context, p *Peer) (any, error) {
	result := struct {
		Root  root             `json:"root"`
		Roots []root           `json:"roots"`
		Items map[string]item  `json:"items"`
		Links map[string]links `json:"links"`
	}{Roots: []root{}, Items: map[string]item{}, Links: map[string]links{}}
	got, err := p.buckets.Root(ctx, p.Bucket)
	if err != nil {
		return nil, err
	}
	result.Root = rootOf(got.Root)
	list, err := p.buckets.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, each := range list.Roots {
		result.Roots = append(result.Roots, rootOf(each))
	}
	for _, each := range p.Paths {
		listing, err := p.buckets.ListPath(ctx, p.Bucket, each)
		if err != nil {
			return nil, err
		}
		result.Items[each] = itemOf(listing.Item)
		found, err := p.buckets.Links(ctx, p.Bucket, each)
		if err != nil {
			return nil, err
		}
		result.Links[each] = linksOf(found)
	}
	return result, nil
}

type pushed struct {
	Path     string  `json:"path"`
	CID      string  `json:"cid"`
	Root     string  `json:"root"`
	Size     int64   `json:"size"`
	Progress []int64 `json:"progress"`
}

// push sends the files one by one, each on the root that the one before has left.
func push(ctx context.Context, p *Peer) (any, error) {
	base, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	results := []pushed{}
	for _, file := range p.Files {
		source, err := os.Open(file.Local)
		if err != nil {
			return nil, err
		}
		progress, wait := collect()
		at, now, err := p.buckets.PushPath(ctx, p.Bucket, file.Path, source,
			buckets.WithFastForwardOnly(base), buckets.WithProgress(progress))
		source.Close()
		if err != nil {
			return nil, err
		}
		results = append(results, pushed{
			Path: file.Path, CID: at.Cid().String(), Root: now.String(), Progress: wait(),
		})
		base = now
	}
	return results, nil
}

// pushPaths sends all files in one stream: every other one as a file of the queue's, the rest as readers.
func pushPaths(ctx context.Context, p *Peer) (any, error) {
	base, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	progress, wait := collect()
	queue, err := p.buckets.PushPaths(ctx, p.Bucket,
		buckets.WithFastForwardOnly(base), buckets.WithProgress(progress))
	if err != nil {
		return nil, err
	}
	for index, file := range p.Files {
		if index%2 == 0 {
			err = queue.AddFile(file.Path, file.Local)
		} else {
			var content []byte
			if content, err = os.ReadFile(file.Local); err == nil {
				err = queue.AddReader(file.Path, bytes.NewReader(content), int64(len(content)))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	results := []pushed{}
	for queue.Next() {
		if err := queue.Err(); err != nil {
			return nil, err
		}
		now := queue.Current
		results = append(results, pushed{
			Path: now.Path, CID: now.Cid.String(), Root: now.Root.String(), Size: now.Size,
		})
	}
	if err := queue.Close(); err != nil {
		return nil, err
	}
	close(progress)
	return struct {
		Files    []pushed `json:"files"`
		Size     int64    `json:"size"`
		Complete int64    `json:"complete"`
		Progress []int64  `json:"progress"`
	}{results, queue.Size(), queue.Complete(), wait()}, nil
}

// pull writes each path of the bucket to its local file.
func pull(ctx context.Context, p *Peer) (any, error) {
	results := []pushed{}
	for _, file := range p.Files {
		target, err := os.Create(file.Local)
		if err != nil {
			return nil, err
		}
		progress, wait := collect()
		err = p.buckets.PullPath(ctx, p.Bucket, file.Path, target, buckets.WithProgress(progress))
		close(progress)
		if err != nil {
			return nil, err
		}
		if err := target.Close(); err != nil {
			return nil, err
		}
		results = append(results, pushed{Path: file.Path, Progress: wait()})
	}
	return results, nil
}

// removePath removes each of the request's paths, each on the root that the one before has left.
func removePath(ctx context.Context, p *Peer) (any, error) {
	base, err := currentRoot(ctx, p, p.Bucket)
	if err != nil {
		return nil, err
	}
	roots := []string{}
	for _, each := range p.Paths {
		if base, err = p.buckets.RemovePath(ctx, p.Bucket, each, buckets.WithFastForwardOnly(base)); err != nil {
			return nil, err
		}
		roots = append(roots, base.String())
	}
	return roots, nil
}

func remove(ctx context.Context, p *Peer) (any, error) {
	return outcome(p.buckets.Remove(ctx, p.Bucket)), nil
}

func currentRoot(ctx context.Context, p *Peer, bucket string) (path.Resolved, error) {
	got, err := p.buckets.Root(ctx, bucket)
	if err != nil {
		return nil, err
	}
	return util.NewResolvedPath(got.Root.Path)
}

// collect returns a channel for progress, and a function that waits for its end and tells what came.
func collect() (chan int64, func() []int64) {
	progress := make(chan int64)
	seen := []int64{}
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		for count := range progress {
			seen = append(seen, count)
		}
	}()
	return progress, func() []int64 {
		done.Wait()
		return seen
	}
}
