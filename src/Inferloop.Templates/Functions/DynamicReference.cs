using System.Text;

namespace Inferloop.Templates;

/// <summary>Dynamic references in strings: <c>{{resolve:ssm:/name:version}}</c>.</summary>
internal static class DynamicReference
{
    private const string Open = "{{resolve:";

    public static Value Resolve(StringValue value, Func<string, string, Value?> resolve)
    {
        var text = value.Text;
        var result = new StringBuilder();
        var at = 0;
        var secret = value.IsSecret;
        List<string>? unknown = null;
        while (at < text.Length)
        {
            var open = text.IndexOf(Open, at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                break;
            }

            result.Append(text, at, open - at);
            var reference = text[(open + Open.Length)..close];
            var colon = reference.IndexOf(':', StringComparison.Ordinal);
            var resolved = colon > 0 ? resolve(reference[..colon], reference[(colon + 1)..]) : null;
            secret |= resolved is not null && (resolved.IsSecret || reference[..colon] is "secretsmanager" or "ssm-secure");
            if (resolved is UnknownValue)
            {
                (unknown ??= []).AddRange(resolved.Sources);
            }

            result.Append(resolved?.AsString() ?? text[open..(close + 2)]);
            at = close + 2;
        }

        result.Append(text, at, text.Length - at);
        return unknown is not null ? new UnknownValue(unknown, value.Location, result.ToString(), secret)
            : new StringValue(result.ToString(), value.Location, secret, value.Sources);
    }
}
