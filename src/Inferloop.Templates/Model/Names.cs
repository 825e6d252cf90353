using System.Buffers;

namespace Inferloop.Templates;

/// <summary>CloudFormation's rules for names.</summary>
internal static class Names
{
    public const int MaximumLength = 255;

    private static readonly SearchValues<char> s_alphanumeric = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    public static bool IsAlphanumeric(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(s_alphanumeric);
}
