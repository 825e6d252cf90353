using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace Inferloop.Templates;

/// <summary>Cuts an address block as Fn::Cidr does.</summary>
internal static class CidrCalculator
{
    public static bool TrySplit(string block, int count, int hostBits, out IReadOnlyList<string> blocks, out string? error)
    {
        blocks = [];
        var slash = block.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0
            || !IPAddress.TryParse(block.AsSpan(0, slash), out var address)
            || (address.AddressFamily == AddressFamily.InterNetwork && block.AsSpan(0, slash).Count('.') != 3)
            || !int.TryParse(block.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix))
        {
            error = $"'{block}' is not an address block such as 10.0.0.0/16.";
            return false;
        }

        var width = address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        if (prefix > width)
        {
            error = $"'{block}' has a prefix longer than {width} bits.";
            return false;
        }

        if (count is < 1 or > 256)
        {
            error = $"the count must be from 1 to 256, not {count}.";
            return false;
        }

        if (hostBits < 1 || hostBits > width)
        {
            error = $"the number of host bits must be from 1 to {width}, not {hostBits}.";
            return false;
        }

        var size = BigInteger.One << hostBits;
        if (size * count > BigInteger.One << (width - prefix))
        {
            error = $"{count} blocks of /{width - hostBits} do not fit in {block}.";
            return false;
        }

        // The host bits of the block itself do not count: 10.0.0.5/16 begins at 10.0.0.0.
        var start = new BigInteger(address.GetAddressBytes(), isUnsigned: true, isBigEndian: true) >> (width - prefix) << (width - prefix);
        var result = new string[count];
        for (var i = 0; i < count; i++)
        {
            result[i] = $"{Format(start + size * i, width)}/{width - hostBits}";
        }

        blocks = result;
        error = null;
        return true;
    }

    private static IPAddress Format(BigInteger value, int width)
    {
        var bytes = new byte[width / 8];
        var raw = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        raw.CopyTo(bytes.AsSpan(bytes.Length - raw.Length));
        return new IPAddress(bytes);
    }
}
