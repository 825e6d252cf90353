// The nearest known name to a misspelt one is found in one place for templates and specs alike.
global using Suggestion = Inferloop.Templates.Suggestion;
