namespace Inferloop.Sandbox.Protocols;

/// <summary>An operation found for a method and path, with the labels of its URI.</summary>
internal sealed record RouteMatch(OperationModel Operation, IReadOnlyDictionary<string, string> Labels, IReadOnlyDictionary<string, string?> Literals);

/// <summary>The URIs of a REST service's operations.</summary>
internal sealed class Routes
{
    private readonly Dictionary<string, List<Route>> byMethod = new(StringComparer.Ordinal);

    public Routes(ServiceModel model)
    {
        foreach (var name in model.OperationNames)
        {
            var operation = model.Operation(name)!;
            if (!byMethod.TryGetValue(operation.Method, out var routes))
            {
                byMethod[operation.Method] = routes = [];
            }
            routes.Add(new Route(operation));
        }
    }

    public bool KnowsPath(ServiceRequest request) => byMethod.Values.Any(routes => routes.Any(route => route.Match(Segments(request.Path)) is not null));

    /// <summary>
    /// The operation whose URI fits best: one that demands more of the query string wins, then one whose required query and header
    /// members are there (this tells CopyObject from PutObject), then one with more literal segments.
    /// </summary>
    public RouteMatch? Find(ServiceRequest request)
    {
        if (!byMethod.TryGetValue(request.Method, out var routes))
        {
            return null;
        }
        var segments = Segments(request.Path);
        RouteMatch? best = null;
        var bestScore = int.MinValue;
        foreach (var route in routes)
        {
            if (!route.MatchesQuery(request) || route.Match(segments) is not { } labels)
            {
                continue;
            }
            var score = route.Score(request);
            if (score > bestScore)
            {
                bestScore = score;
                best = new RouteMatch(route.Operation, labels, route.Literals);
            }
        }
        return best;
    }

    private static string[] Segments(string path) => path.TrimStart('/').Split('/');

    private sealed class Route
    {
        private readonly string[] pattern;
        private readonly int literalSegments;
        private readonly List<(bool IsHeader, string Name)> demanded;
        private readonly bool deprecated;

        public Route(OperationModel operation)
        {
            Operation = operation;
            var uri = operation.RequestUri;
            var question = uri.IndexOf('?');
            pattern = Segments(question < 0 ? uri : uri[..question]);
            literalSegments = pattern.Count(segment => !segment.StartsWith('{'));
            var literals = new Dictionary<string, string?>(StringComparer.Ordinal);
            if (question >= 0)
            {
                foreach (var part in uri[(question + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
                {
                    var equals = part.IndexOf('=');
                    literals[equals < 0 ? part : part[..equals]] = equals < 0 ? null : part[(equals + 1)..];
                }
            }
            Literals = literals;
            demanded = operation.Input is { } input
                ? input.Required.Select(input.Member).OfType<ShapeMember>().Where(member => member.Location is "querystring" or "header")
                    .Select(member => (member.Location == "header", member.Location == "header" ? member.WireName.ToLowerInvariant() : member.WireName)).ToList()
                : [];
            deprecated = operation.Documentation?.Contains("deprecated", StringComparison.OrdinalIgnoreCase) == true
                || operation.Name is "GetBucketLifecycle" or "PutBucketLifecycle" or "GetBucketNotification" or "PutBucketNotification" or "ListDirectoryBuckets";
        }

        public OperationModel Operation { get; }

        public Dictionary<string, string?> Literals { get; }

        public bool MatchesQuery(ServiceRequest request)
        {
            foreach (var (key, value) in Literals)
            {
                if (request.QueryValue(key) is not { } actual || (value is not null && actual != value))
                {
                    return false;
                }
            }
            return true;
        }

        public int Score(ServiceRequest request)
        {
            var present = demanded.Count(member => (member.IsHeader ? request.Header(member.Name) : request.QueryValue(member.Name)) is not null);
            var sameId = request.QueryValue("x-id") == Operation.Name;
            return (Literals.Count * 1000) + (present * 100) - ((demanded.Count - present) * 200) + (sameId ? 50 : 0) + (literalSegments * 10) - (deprecated ? 5 : 0);
        }

        public Dictionary<string, string>? Match(string[] segments)
        {
            var labels = new Dictionary<string, string>(StringComparer.Ordinal);
            var at = 0;
            for (var i = 0; i < pattern.Length; i++)
            {
                var expected = pattern[i];
                if (expected.StartsWith('{') && expected.EndsWith("+}", StringComparison.Ordinal))
                {
                    // A greedy label takes all segments but those the pattern has after it.
                    var take = segments.Length - at - (pattern.Length - i - 1);
                    if (take < 1)
                    {
                        return null;
                    }
                    var value = string.Join('/', segments.Skip(at).Take(take));
                    if (value.Length == 0)
                    {
                        return null;
                    }
                    labels[expected[1..^2]] = Decode(value);
                    at += take;
                }
                else if (at >= segments.Length)
                {
                    return null;
                }
                else if (expected.StartsWith('{'))
                {
                    if (segments[at].Length == 0)
                    {
                        return null;
                    }
                    labels[expected[1..^1]] = Decode(segments[at++]);
                }
                else if (segments[at++] != expected)
                {
                    return null;
                }
            }
            // One trailing slash is no segment.
            return at == segments.Length || (at == segments.Length - 1 && segments[at].Length == 0) ? labels : null;
        }

        private static string Decode(string text) => Uri.UnescapeDataString(text);
    }
}
