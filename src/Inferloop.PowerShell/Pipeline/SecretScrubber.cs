using System.Text.RegularExpressions;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>Masks secrets in text: values it was told of, and what an AWS message may carry (signatures, security tokens).</summary>
internal sealed partial class SecretScrubber
{
    private const string Mask = "********";

    private readonly HashSet<string> secrets = new(StringComparer.Ordinal);

    /// <summary>From now on this value is masked. Values too short to be a secret are ignored: masking them would only garble text.</summary>
    public void Add(string? secret)
    {
        if (secret is { Length: >= 8 })
        {
            lock (secrets)
            {
                secrets.Add(secret);
            }
        }
    }

    /// <summary>The text without the secrets.</summary>
    public string Scrub(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        lock (secrets)
        {
            foreach (var secret in secrets)
            {
                text = text.Replace(secret, Mask, StringComparison.Ordinal);
            }
        }

        return Signatures().Replace(text, "$1" + Mask);
    }

    [GeneratedRegex(@"(?i)((?:Signature|X-Amz-Signature|X-Amz-Security-Token|SecretAccessKey|aws_secret_access_key|aws_session_token|SessionToken)[""']?\s*[=:]\s*[""']?)[A-Za-z0-9+/=%_\-]{16,}")]
    private static partial Regex Signatures();
}
