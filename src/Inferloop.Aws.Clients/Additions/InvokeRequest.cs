using System.Text;

namespace Amazon.Lambda.Model;

/// <summary>The payload as text, which the official request has beside its stream.</summary>
public partial class InvokeRequest
{
    /// <summary>The JSON the function gets.</summary>
    public string? Payload
    {
        get => PayloadStream is null ? null : Encoding.UTF8.GetString(PayloadStream.ToArray());
        set => PayloadStream = value is null ? null : new MemoryStream(Encoding.UTF8.GetBytes(value));
    }
}
