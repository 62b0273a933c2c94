package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// simulator is the EC2 simulator's control API.
type simulator struct{ url string }

type instance struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

func (s *simulator) launch(ctx context.Context, name, instanceType, zone string) (instance, error) {
	var launched instance
	err := s.send(ctx, http.MethodPost, "/instances",
		map[string]string{"name": name, "type": instanceType, "zone": zone}, &launched)
	return launched, err
}

func (s *simulator) terminate(ctx context.Context, id string) error {
	return s.send(ctx, http.MethodPost, "/instances/"+id+"/terminate", nil, nil)
}

// running returns the instances that are neither terminated nor on their way there, by id.
func (s *simulator) running(ctx context.Context) (map[string]instance, error) {
	instances, err := s.all(ctx)
	for id, each := range instances {
		if each.State == "terminated" || each.State == "shutting-down" {
			delete(instances, id)
		}
	}
	return instances, err
}

func (s *simulator) all(ctx context.Context) (map[string]instance, error) {
	var state struct {
		Instances []instance `json:"instances"`
	}
	if err := s.send(ctx, http.MethodGet, "/state", nil, &state); err != nil {
		return nil, err
	}
	byID := make(map[string]instance, len(state.Instances))
	for _, each := range state.Instances {
		byID[each.ID] = each
	}
	return byID, nil
}

func (s *simulator) send(ctx context.Context, method, path string, body, answer any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.url+"/_control"+path, &content)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
