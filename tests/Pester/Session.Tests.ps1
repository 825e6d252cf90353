# What a session is connected to: the sandbox, AWS, and neither.
BeforeAll {
    Import-Module (Join-Path $PSScriptRoot '../../Inferloop.psd1') -Force
}

Describe 'Without a sandbox and without credentials' {
    It 'says that no region is known, and what to give' {
        $failure = { Get-InferloopIdentity } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'AwsRegionInvalid,*'
        $failure.ErrorDetails.RecommendedAction | Should -Match '-Region'
    }

    It 'says at once that there are no credentials' {
        $failure = { Get-InferloopIdentity -Region us-east-1 } | Should -Throw -PassThru
        $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'ProfileName'
    }
}

Describe 'Start-InferloopSandbox' {
    AfterEach { Stop-InferloopSandbox -ErrorAction Ignore }

    It 'makes the sandbox what every cmdlet talks to, until it is stopped' {
        $sandbox = Start-InferloopSandbox -Region eu-west-1 -PassThru
        $identity = Get-InferloopIdentity
        $identity.Region | Should -Be 'eu-west-1'
        $identity.EndpointUrl | Should -Be $sandbox.EndpointUrl.ToString().TrimEnd('/')
        Stop-InferloopSandbox
        { Get-InferloopIdentity } | Should -Throw
    }

    It 'shows no secret on any stream' {
        $sandbox = Start-InferloopSandbox -PassThru
        $secret = $sandbox.GetEnvironmentVariables()['AWS_SECRET_ACCESS_KEY']
        $all = & { $sandbox; Get-InferloopSandbox; Get-InferloopIdentity -Verbose -Debug; $sandbox | Select-Object * | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue } *>&1 | Out-String
        $all | Should -Not -Match ([regex]::Escape($secret))
    }

    It 'refuses a port that is taken and names it' {
        $sandbox = Start-InferloopSandbox -PassThru
        $failure = { Start-InferloopSandbox -NoDefault -Port $sandbox.EndpointUrl.Port } | Should -Throw -PassThru
        $failure.FullyQualifiedErrorId | Should -BeLike 'SandboxPortInUse,*'
    }
}

Describe 'Credentials that AWS does not know' {
    AfterEach { Stop-InferloopSandbox -ErrorAction Ignore }

    It 'are an authentication error without the secret in it' {
        $null = Start-InferloopSandbox
        $failure = { Get-InferloopIdentity -AccessKey AKIAIOSFODNN7EXAMPLE -SecretKey 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' -Region us-east-1 -EndpointUrl (Get-InferloopSandbox).EndpointUrl } | Should -Throw -PassThru
        $failure.CategoryInfo.Category | Should -Be 'AuthenticationError'
        ($failure | Out-String) + $failure.Exception | Should -Not -Match 'wJalrXUtnFEMIK7MDENG'
    }
}
