using System.Globalization;
using System.Text;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Finds what a resource refers to, in the branches that its conditions take.</summary>
internal sealed class DependencyCollector(StackModel model)
{
    private readonly List<(string? Key, int Index)> _path = [];
    private List<ResourceReference> _found = [];
    private List<ParameterReference> _parameters = [];

    /// <summary>The parameters that the resource of the last <see cref="Collect"/> refers to.</summary>
    public IReadOnlyList<ParameterReference> Parameters => _parameters;

    public IReadOnlyList<ResourceReference> Collect(TemplateResource resource)
    {
        _found = [];
        _parameters = [];
        foreach (var entry in resource.Node.Entries)
        {
            if (entry.Key is "Properties" or "Metadata" or "CreationPolicy" or "UpdatePolicy")
            {
                _path.Clear();
                _path.Add((entry.Key, 0));
                Walk(entry.Value);
            }
        }

        return _found;
    }

    private void Walk(Node node)
    {
        switch (node)
        {
            case SequenceNode list:
                for (var i = 0; i < list.Items.Count; i++)
                {
                    _path.Add((null, i));
                    Walk(list.Items[i]);
                    _path.RemoveAt(_path.Count - 1);
                }

                break;
            case MappingNode { Count: 1 } map when Functions.IsFunction(map[0].Key):
                WalkFunction(map[0].Key, map[0].Value);
                break;
            case MappingNode map:
                foreach (var entry in map.Entries)
                {
                    _path.Add((entry.Key, 0));
                    Walk(entry.Value);
                    _path.RemoveAt(_path.Count - 1);
                }

                break;
        }
    }

    private void WalkFunction(string function, Node argument)
    {
        switch (function)
        {
            case "Ref" when argument is ScalarNode name:
                Add(name.Text, null);
                break;
            case "Fn::GetAtt":
                WalkAttribute(argument);
                break;
            case "Fn::Sub":
                WalkSub(argument);
                break;
            case "Fn::If" when argument is SequenceNode { Items: [ScalarNode condition, var then, var otherwise] }:
                Walk(model.Conditions.GetValueOrDefault(condition.Text) ? then : otherwise);
                break;
            default:
                // The function's own list is no part of the property's path.
                foreach (var item in argument is SequenceNode list ? list.Items : [argument])
                {
                    Walk(item);
                }

                break;
        }
    }

    private void WalkAttribute(Node argument)
    {
        switch (argument)
        {
            case ScalarNode { Text: var text }:
                var dot = text.IndexOf('.', StringComparison.Ordinal);
                if (dot > 0)
                {
                    Add(text[..dot], text[(dot + 1)..]);
                }

                break;
            case SequenceNode { Items: [ScalarNode name, ..] } list:
                Add(name.Text, string.Join('.', list.Items.Skip(1).Select(r => r is ScalarNode part ? part.Text : "*")));
                foreach (var item in list.Items.Skip(1))
                {
                    Walk(item);
                }

                break;
        }
    }

    private void WalkSub(Node argument)
    {
        var (text, map) = argument switch
        {
            ScalarNode scalar => (scalar, null),
            SequenceNode { Items: [ScalarNode scalar] } => (scalar, null),
            SequenceNode { Items: [ScalarNode scalar, MappingNode variables] } => (scalar, variables),
            _ => ((ScalarNode?)null, (MappingNode?)null),
        };
        if (text is null)
        {
            return;
        }

        foreach (var piece in text.Sub.Pieces)
        {
            if (!piece.IsVariable || piece.Text.StartsWith("AWS::", StringComparison.Ordinal))
            {
                continue;
            }

            if (map?[piece.Text] is { } given)
            {
                Walk(given);
                continue;
            }

            var dot = piece.Text.IndexOf('.', StringComparison.Ordinal);
            Add(dot > 0 ? piece.Text[..dot] : piece.Text, dot > 0 ? piece.Text[(dot + 1)..] : null);
        }
    }

    private void Add(string name, string? attribute)
    {
        if (model.Template.Parameters.ContainsKey(name))
        {
            _parameters.Add(new ParameterReference(name, CurrentPath()));
        }
        else if (model.Resources.TryGetValue(name, out var resource) && model.Exists(resource))
        {
            _found.Add(new ResourceReference(name, attribute, CurrentPath()));
        }
    }

    private string CurrentPath()
    {
        var text = new StringBuilder();
        foreach (var (key, index) in _path)
        {
            if (key is null)
            {
                text.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
            }
            else
            {
                text.Append(text.Length == 0 ? "" : ".").Append(key);
            }
        }

        return text.ToString();
    }
}
