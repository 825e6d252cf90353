using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Inferloop.Operations.Specs;

/// <summary>An IPv4 range.</summary>
internal readonly record struct Cidr(uint Address, int Prefix)
{
    public ulong Size => 1UL << (32 - Prefix);

    public uint Last => (uint)(Address + (Size - 1));

    public bool Contains(Cidr other) => other.Prefix >= Prefix && other.Address >= Address && other.Last <= Last;

    public bool Overlaps(Cidr other) => Address <= other.Last && other.Address <= Last;

    /// <summary>Reads "10.0.0.0/16"; the problem says what is wrong with it otherwise.</summary>
    public static bool TryParse(string text, out Cidr cidr, [NotNullWhen(false)] out string? problem)
    {
        cidr = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var parts = (slash < 0 ? text : text[..slash]).Split('.');
        if (slash < 0 || parts.Length != 4
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix > 32)
        {
            problem = "is not an IPv4 range such as 10.0.0.0/16";
            return false;
        }

        uint address = 0;
        foreach (var part in parts)
        {
            if (!byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            {
                problem = "is not an IPv4 range such as 10.0.0.0/16";
                return false;
            }

            address = (address << 8) | octet;
        }

        var mask = prefix == 0 ? 0 : uint.MaxValue << (32 - prefix);
        cidr = new Cidr(address & mask, prefix);
        if ((address & ~mask) != 0)
        {
            problem = $"has bits set beyond its prefix; the range it lies in is {cidr}";
            return false;
        }

        problem = null;
        return true;
    }

    /// <summary>The four subnets a VPC gets by default: blocks 1 to 4 of its /24s, or of its eighths where it is small.</summary>
    public IReadOnlyList<Cidr> DefaultSubnets()
    {
        var prefix = Math.Clamp(Prefix + 3, 24, 28);
        var start = Address;
        return Enumerable.Range(1, 4).Select(i => new Cidr((uint)(start + ((ulong)i << (32 - prefix))), prefix)).ToList();
    }

    public override string ToString() => $"{Address >> 24}.{(Address >> 16) & 255}.{(Address >> 8) & 255}.{Address & 255}/{Prefix}";
}
