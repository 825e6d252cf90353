using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>An IPv4 CIDR block.</summary>
internal readonly record struct Ipv4Block(uint First, int Prefix)
{
    public ulong Size => 1UL << (32 - Prefix);

    public uint Last => (uint)(First + Size - 1);

    public static Ipv4Block? Parse(string? text)
    {
        var parts = (text ?? "").Split('/');
        if (parts.Length != 2 || parts[0].Count(c => c == '.') != 3 || !IPAddress.TryParse(parts[0], out var address) || address.AddressFamily != AddressFamily.InterNetwork
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix > 32)
        {
            return null;
        }
        return new Ipv4Block(ToNumber(address), prefix);
    }

    /// <summary>The block with the bits after its prefix cleared, as AWS stores it.</summary>
    public Ipv4Block Canonical() => this with { First = Prefix == 0 ? 0 : First & (uint)(uint.MaxValue << (32 - Prefix)) };

    public bool Contains(Ipv4Block other) => other.Prefix >= Prefix && other.First >= First && other.Last <= Last;

    public bool Overlaps(Ipv4Block other) => First <= other.Last && other.First <= Last;

    public string Address(uint offset) => ToText(First + offset);

    public override string ToString() => $"{ToText(First)}/{Prefix}";

    public static string ToText(uint number) => $"{number >> 24}.{(number >> 16) & 255}.{(number >> 8) & 255}.{number & 255}";

    public static uint ToNumber(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
    }
}
