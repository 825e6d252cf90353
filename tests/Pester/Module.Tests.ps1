BeforeAll {
    $script:manifest = Join-Path $PSScriptRoot '../../Inferloop.psd1' | Resolve-Path
    Import-Module $manifest -Force
}

Describe 'The module' {
    It 'exports exactly the cmdlets that its manifest lists' {
        $listed = (Import-PowerShellDataFile $manifest).CmdletsToExport | Sort-Object
        $exported = (Get-Command -Module Inferloop).Name | Sort-Object
        $exported | Should -Be $listed
        $listed | Should -Not -Contain '*'
    }

    It 'uses approved verbs and the noun prefix Inferloop for every cmdlet' {
        $approved = (Get-Verb).Verb
        foreach ($command in Get-Command -Module Inferloop) {
            $command.Verb | Should -BeIn $approved -Because $command.Name
            $command.Noun | Should -BeLike 'Inferloop*'
        }
    }

    It 'still exports everything after a second import' {
        $before = (Get-Command -Module Inferloop).Count
        Import-Module $manifest -Force
        (Get-Command -Module Inferloop).Count | Should -Be $before
    }

    It 'imports without a warning, an error or an open socket' {
        $script = "Import-Module '$manifest' -WarningVariable w -ErrorVariable e; " +
            "`"`$(@(`$w).Count) `$(@(`$e).Count) `" + @(Get-ChildItem /proc/self/fd | ForEach-Object Target | Where-Object { `$_ -like 'socket:*' }).Count"
        $plain = "'0 0 ' + @(Get-ChildItem /proc/self/fd | ForEach-Object Target | Where-Object { `$_ -like 'socket:*' }).Count"
        pwsh -NoProfile -Command $script | Should -Be (pwsh -NoProfile -Command $plain)
    } -Skip:(-not $IsLinux)

    It 'keeps its dependencies out of the session' {
        pwsh -NoProfile -Command "Import-Module '$manifest'; New-InferloopEnvironmentSpec -Name demo | Out-Null; [System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies.GetName().Name -match '^(AWSSDK|YamlDotNet)'" |
            Should -BeNullOrEmpty
    }

    It 'leaves nothing behind when it is removed' {
        pwsh -NoProfile -Command "Import-Module '$manifest'; Remove-Module Inferloop; @((Get-Module).Name) -like 'Inferloop*'; (Get-Command *-Inferloop*).Name" | Should -BeNullOrEmpty
    }
}
