namespace Inferloop.Sandbox.Runtime;

/// <summary>Generated identifiers in AWS's forms. Under one seed the same calls give the same identifiers.</summary>
internal sealed class Ids(int? seed = null)
{
    private const string LowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";
    private const string UpperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    private const string HexDigits = "0123456789abcdef";
    private const string Base64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private readonly Random ownRandom = seed is { } value ? new Random(value) : new Random();

    /// <summary>In a sandbox with a journal each event draws from numbers of its own.</summary>
    private Random Source => EventScope.Current?.Random ?? ownRandom;

    /// <summary>Lower-case hexadecimal digits, as in <c>vpc-0a1b2c3d4e5f60718</c>.</summary>
    public string Hex(int length) => From(HexDigits, length);

    /// <summary>An EC2-style id: <c>prefix-</c> and seventeen hexadecimal digits beginning with 0.</summary>
    public string Resource(string prefix) => $"{prefix}-0{Hex(16)}";

    public string Lower(int length) => From(LowerAlphanumeric, length);

    /// <summary>Upper-case letters and digits, as in the suffix CloudFormation gives generated names.</summary>
    public string Upper(int length) => From(UpperAlphanumeric, length);

    /// <summary>The alphabet of access key ids and of IAM's unique ids.</summary>
    public string Base32Upper(int length) => From(Base32, length);

    public string UrlSafe(int length) => From(Base64Url, length);

    public string Digits(int length) => From("0123456789", length);

    public string Uuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        Fill(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes).ToString();
    }

    public int Next(int exclusiveMaximum)
    {
        lock (ownRandom)
        {
#pragma warning disable CA5394 // Identifiers of a simulation, reproducible by design; nothing here protects anything.
            return Source.Next(exclusiveMaximum);
#pragma warning restore CA5394
        }
    }

    public void Fill(Span<byte> bytes)
    {
        lock (ownRandom)
        {
#pragma warning disable CA5394
            Source.NextBytes(bytes);
#pragma warning restore CA5394
        }
    }

    private string From(string alphabet, int length)
    {
        Span<char> text = length <= 256 ? stackalloc char[length] : new char[length];
        lock (ownRandom)
        {
            for (var i = 0; i < text.Length; i++)
            {
#pragma warning disable CA5394
                text[i] = alphabet[Source.Next(alphabet.Length)];
#pragma warning restore CA5394
            }
        }
        return new string(text);
    }
}
