using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Kms;

/// <summary>Encryption with AES-256-GCM; a ciphertext names its key and the version of its material, so that Decrypt needs no key id.</summary>
internal sealed partial class KmsService
{
    private const int MaximumPlaintext = 4096;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const byte FormatVersion = 1;

    private static string NewMaterial() => Convert.ToBase64String(SecureRandom.GetBytes(32));

    private JsonObject Encrypt(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireUsable(key);
        var plaintext = Bytes(input, "Plaintext");
        if (plaintext.Length is 0 or > MaximumPlaintext)
        {
            throw new ServiceFault("ValidationException", $"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and {MaximumPlaintext}");
        }
        return new JsonObject
        {
            ["CiphertextBlob"] = Convert.ToBase64String(Seal(key, plaintext, input.Child("EncryptionContext"))),
            ["KeyId"] = key.Text("Arn"),
            ["EncryptionAlgorithm"] = "SYMMETRIC_DEFAULT",
        };
    }

    private JsonObject Decrypt(RequestContext context, JsonObject input)
    {
        var (key, plaintext) = Open(context, Bytes(input, "CiphertextBlob"), input.Child("EncryptionContext"), input.Text("KeyId"));
        return new JsonObject { ["KeyId"] = key.Text("Arn"), ["Plaintext"] = Convert.ToBase64String(plaintext), ["EncryptionAlgorithm"] = "SYMMETRIC_DEFAULT" };
    }

    private JsonObject ReEncrypt(RequestContext context, JsonObject input)
    {
        var (source, plaintext) = Open(context, Bytes(input, "CiphertextBlob"), input.Child("SourceEncryptionContext"), input.Text("SourceKeyId"));
        var target = Key(context, input.Required("DestinationKeyId"));
        RequireUsable(target);
        return new JsonObject
        {
            ["CiphertextBlob"] = Convert.ToBase64String(Seal(target, plaintext, input.Child("DestinationEncryptionContext"))),
            ["SourceKeyId"] = source.Text("Arn"),
            ["KeyId"] = target.Text("Arn"),
            ["SourceEncryptionAlgorithm"] = "SYMMETRIC_DEFAULT",
            ["DestinationEncryptionAlgorithm"] = "SYMMETRIC_DEFAULT",
        };
    }

    private JsonObject GenerateDataKey(RequestContext context, JsonObject input, bool withPlaintext)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireUsable(key);
        var spec = input.Text("KeySpec");
        var bytes = input.Int("NumberOfBytes");
        if (spec is null == bytes is null)
        {
            throw new ServiceFault("ValidationException", "Please specify either number of bytes or key spec.");
        }
        var data = SecureRandom.GetBytes(bytes ?? (spec == "AES_128" ? 16 : 32));
        var answer = new JsonObject { ["CiphertextBlob"] = Convert.ToBase64String(Seal(key, data, input.Child("EncryptionContext"))), ["KeyId"] = key.Text("Arn") };
        if (withPlaintext)
        {
            answer["Plaintext"] = Convert.ToBase64String(data);
        }
        return answer;
    }

    private static JsonObject GenerateRandom(RequestContext context, JsonObject input) =>
        new() { ["Plaintext"] = Convert.ToBase64String(SecureRandom.GetBytes(input.Int("NumberOfBytes") ?? 32)) };

    private static byte[] Seal(JsonObject key, byte[] plaintext, JsonObject? encryptionContext)
    {
        var materials = key.Texts("_Material");
        var id = Encoding.ASCII.GetBytes(key.Required("KeyId"));
        var header = new byte[1 + 1 + id.Length + 4];
        header[0] = FormatVersion;
        header[1] = (byte)id.Length;
        id.CopyTo(header, 2);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(2 + id.Length), materials.Count - 1);
        var blob = new byte[header.Length + NonceLength + TagLength + plaintext.Length];
        header.CopyTo(blob, 0);
        var nonce = blob.AsSpan(header.Length, NonceLength);
        SecureRandom.Fill(nonce);
        using var aes = new AesGcm(Convert.FromBase64String(materials[^1]), TagLength);
        aes.Encrypt(nonce, plaintext, blob.AsSpan(header.Length + NonceLength + TagLength), blob.AsSpan(header.Length + NonceLength, TagLength), Associated(encryptionContext));
        return blob;
    }

    private (JsonObject Key, byte[] Plaintext) Open(RequestContext context, byte[] blob, JsonObject? encryptionContext, string? keyId)
    {
        var idLength = blob.Length > 2 ? blob[1] : 0;
        var headerLength = 2 + idLength + 4;
        if (blob.Length < headerLength + NonceLength + TagLength || blob[0] != FormatVersion)
        {
            throw new ServiceFault("InvalidCiphertextException", "");
        }
        var named = Encoding.ASCII.GetString(blob, 2, idLength);
        var key = Keys(context).Get(named) ?? throw new ServiceFault("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.");
        if (keyId is not null && Key(context, keyId).Text("KeyId") != named)
        {
            throw new ServiceFault("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.");
        }
        RequireUsable(key);
        var materials = key.Texts("_Material");
        var version = BinaryPrimitives.ReadInt32BigEndian(blob.AsSpan(2 + idLength));
        if (version < 0 || version >= materials.Count)
        {
            throw new ServiceFault("InvalidCiphertextException", "");
        }
        var plaintext = new byte[blob.Length - headerLength - NonceLength - TagLength];
        try
        {
            using var aes = new AesGcm(Convert.FromBase64String(materials[version]), TagLength);
            aes.Decrypt(blob.AsSpan(headerLength, NonceLength), blob.AsSpan(headerLength + NonceLength + TagLength),
                blob.AsSpan(headerLength + NonceLength, TagLength), plaintext, Associated(encryptionContext));
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new ServiceFault("InvalidCiphertextException", "");
        }
        return (key, plaintext);
    }

    /// <summary>The encryption context in an order that does not depend on how it was sent; lengths keep keys and values apart.</summary>
    private static byte[] Associated(JsonObject? encryptionContext)
    {
        using var stream = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (var (name, value) in (encryptionContext ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            foreach (var part in (string[])[name, Documents.AsText(value) ?? ""])
            {
                var bytes = Encoding.UTF8.GetBytes(part);
                BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
                stream.Write(length);
                stream.Write(bytes);
            }
        }
        return stream.ToArray();
    }

    private static byte[] Bytes(JsonObject input, string member)
    {
        try
        {
            return Convert.FromBase64String(input.Required(member));
        }
        catch (FormatException)
        {
            throw new ServiceFault("SerializationException", $"{member} is not base64.");
        }
    }
}
