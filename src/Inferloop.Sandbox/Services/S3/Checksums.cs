using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>The checksums that S3 verifies and keeps.</summary>
internal static class Checksums
{
    private const ulong Crc64NvmePolynomial = 0x9A6C9329AC4BC9B5;
    private const uint Crc32Polynomial = 0xEDB88320;

    private static readonly uint[] Crc32Table = Crc32TableOf();
    private static readonly ulong[] Crc64Table = Crc64TableOf();

    /// <summary>Members of S3's shapes for the algorithms computed here, by algorithm.</summary>
    public static readonly IReadOnlyDictionary<string, string> Members = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["CRC32"] = "ChecksumCRC32",
        ["CRC32C"] = "ChecksumCRC32C",
        ["CRC64NVME"] = "ChecksumCRC64NVME",
        ["SHA1"] = "ChecksumSHA1",
        ["SHA256"] = "ChecksumSHA256",
        ["SHA512"] = "ChecksumSHA512",
        ["MD5"] = "ChecksumMD5",
    };

    public static string Compute(string algorithm, ReadOnlySpan<byte> data) => Convert.ToBase64String(Bytes(algorithm, data));

    /// <summary>The checksum of the parts' checksums, with their number: a composite one.</summary>
    public static string Composite(string algorithm, IReadOnlyList<string> parts) =>
        Compute(algorithm, parts.SelectMany(Convert.FromBase64String).ToArray()) + "-" + parts.Count;

    /// <summary>Verifies the checksums given with some data; keeps them, or the one S3 computes by itself where none was given.</summary>
    public static JsonObject Verify(JsonObject input, ReadOnlySpan<byte> data)
    {
        VerifyMd5(input, data);
        var kept = new JsonObject();
        foreach (var (algorithm, member) in Members)
        {
            if ((string?)input[member] is { } given)
            {
                if (given != Compute(algorithm, data))
                {
                    throw new ServiceFault("BadDigest", $"The {algorithm} you specified did not match the calculated checksum.");
                }
                kept[member] = given;
            }
        }
        foreach (var (name, _) in input)
        {
            if (name.StartsWith("ChecksumXXHASH", StringComparison.Ordinal))
            {
                throw new ServiceFault("NotImplemented", $"The sandbox does not verify {name}.", 501);
            }
        }
        if (kept.Count == 0)
        {
            var algorithm = (string?)input["ChecksumAlgorithm"] is { } named && Members.ContainsKey(named) ? named : "CRC64NVME";
            kept[Members[algorithm]] = Compute(algorithm, data);
        }
        kept["ChecksumType"] = "FULL_OBJECT";
        return kept;
    }

    private static void VerifyMd5(JsonObject input, ReadOnlySpan<byte> data)
    {
        if ((string?)input["ContentMD5"] is not { } md5)
        {
            return;
        }
        Span<byte> given = stackalloc byte[24];
        if (!Convert.TryFromBase64String(md5, given, out var length) || length != 16)
        {
            throw new ServiceFault("InvalidDigest", "The Content-MD5 you specified was invalid.");
        }
        if (!given[..16].SequenceEqual(Md5(data)))
        {
            throw new ServiceFault("BadDigest", "The Content-MD5 you specified did not match what we received.");
        }
    }

    public static byte[] Md5(ReadOnlySpan<byte> data)
    {
#pragma warning disable CA5351 // S3's ETag is an MD5; nothing here relies on it being hard to forge.
        return MD5.HashData(data);
#pragma warning restore CA5351
    }

    private static byte[] Bytes(string algorithm, ReadOnlySpan<byte> data)
    {
        var result = new byte[8];
        switch (algorithm)
        {
            case "CRC32":
                BinaryPrimitives.WriteUInt32BigEndian(result, Crc32(data));
                return result[..4];
            case "CRC32C":
                BinaryPrimitives.WriteUInt32BigEndian(result, Crc32C(data));
                return result[..4];
            case "CRC64NVME":
                BinaryPrimitives.WriteUInt64BigEndian(result, Crc64(data));
                return result;
            case "SHA1":
#pragma warning disable CA5350 // Offered by S3 as a checksum.
                return SHA1.HashData(data);
#pragma warning restore CA5350
            case "SHA256":
                return SHA256.HashData(data);
            case "SHA512":
                return SHA512.HashData(data);
            default:
                return Md5(data);
        }
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        foreach (var b in data)
        {
            crc = Crc32Table[(byte)(crc ^ b)] ^ (crc >> 8);
        }
        return ~crc;
    }

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = ~0u;
        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }
        foreach (var b in data)
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        return ~crc;
    }

    private static ulong Crc64(ReadOnlySpan<byte> data)
    {
        var crc = ~0ul;
        foreach (var b in data)
        {
            crc = Crc64Table[(byte)(crc ^ b)] ^ (crc >> 8);
        }
        return ~crc;
    }

    private static uint[] Crc32TableOf()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ Crc32Polynomial : value >> 1;
            }
            table[i] = value;
        }
        return table;
    }

    private static ulong[] Crc64TableOf()
    {
        var table = new ulong[256];
        for (var i = 0u; i < 256; i++)
        {
            ulong value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ Crc64NvmePolynomial : value >> 1;
            }
            table[i] = value;
        }
        return table;
    }
}
